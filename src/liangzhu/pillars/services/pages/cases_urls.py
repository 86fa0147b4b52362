"""Addresses of the guide and of applying."""

from django.urls import path

from liangzhu.pillars.services.pages import cases

urlpatterns = [
    path("services/do/<str:key>/", cases.bundle, name="bundle"),
    path("services/do/<str:key>/begin/", cases.begin, name="begin"),
    path("services/progress/", cases.look_up, name="look_up"),
    path("my/applications/<int:pk>/", cases.application, name="application"),
    path("my/applications/<int:pk>/renew/", cases.renew, name="renew"),
    path("my/applications/<int:pk>/drop/", cases.drop, name="drop"),
    path("my/applications/<int:pk>/materials/", cases.materials, name="materials"),
    path("my/applications/<int:pk>/materials/fetch/", cases.fetch, name="fetch"),
    path("my/applications/<int:pk>/materials/<int:material_id>/", cases.material, name="material"),
    path("my/applications/<int:pk>/materials/<int:material_id>/bring/", cases.bring, name="bring"),
    path("my/applications/<int:pk>/materials/<int:material_id>/promise/", cases.promise, name="promise"),
    path(
        "my/applications/<int:pk>/materials/<int:material_id>/files/<int:file_id>/remove/",
        cases.take_back,
        name="take_back",
    ),
    path("my/applications/<int:pk>/delivery/", cases.delivery, name="delivery"),
    path("my/applications/<int:pk>/withdraw/", cases.withdraw, name="withdraw"),
    path("my/applications/<int:pk>/cases/<int:case_id>/correct/", cases.correct, name="correct"),
    path("my/applications/<int:pk>/cases/<int:case_id>/papers/<int:paper_id>/", cases.paper, name="paper"),
    path("my/applications/<int:pk>/cases/<int:case_id>/withdraw/", cases.withdraw, name="withdraw_case"),
    path("services/work/<int:matter_id>/address/", cases.posting, name="posting"),
    path("services/work/<int:matter_id>/papers/<int:paper_id>/", cases.case_paper, name="case_paper"),
    path("services/work/<int:matter_id>/materials/<int:material_id>/", cases.verify, name="verify_material"),
]
