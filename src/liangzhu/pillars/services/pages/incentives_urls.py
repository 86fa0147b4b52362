"""Addresses of policies for enterprises."""

from django.urls import path

from liangzhu.pillars.services.pages import incentives as pages

DESK = "services/desk/policies/"

urlpatterns = [
    path("services/policies/", pages.search, name="policies"),
    path("services/policies/<int:incentive_id>/", pages.policy, name="policy"),
    path("my/policies/", pages.mine, name="my_policies"),
    path("my/policies/facts/", pages.facts, name="my_facts"),
    path("my/policies/facts/read/", pages.read_source, name="my_facts_read"),
    path("my/policies/payouts/<int:payout_id>/", pages.my_payout, name="my_payout"),
    path("my/policies/<int:incentive_id>/", pages.my_policy, name="my_policy"),
    path(DESK, pages.desk, name="policy_desk"),
    path(f"{DESK}new/", pages.collect, name="collect_policy"),
    path(f"{DESK}imports/", pages.imports, name="policy_imports"),
    path(f"{DESK}imports/<int:batch_id>/", pages.imported, name="policies_imported"),
    path(f"{DESK}figures/", pages.figures, name="policy_figures"),
    path(f"{DESK}documents/<int:document_id>/", pages.document, name="policy_document"),
    path(f"{DESK}documents/<int:document_id>/begin/", pages.begin, name="begin_policy"),
    path(f"{DESK}versions/<int:version_id>/", pages.version, name="policy_version"),
    path(f"{DESK}versions/<int:version_id>/edit/", pages.edit, name="edit_policy"),
    path(f"{DESK}versions/<int:version_id>/submit/", pages.submit, name="submit_policy"),
    path(f"{DESK}versions/<int:version_id>/decide/", pages.decide, name="decide_policy"),
    path(f"{DESK}versions/<int:version_id>/criteria/new/", pages.criterion, name="new_criterion"),
    path(f"{DESK}versions/<int:version_id>/criteria/<int:criterion_id>/", pages.criterion, name="criterion"),
    path(f"{DESK}<int:incentive_id>/draft/", pages.redraft, name="redraft_policy"),
    path(f"{DESK}<int:incentive_id>/payout/", pages.propose, name="propose_payout"),
    path(f"{DESK}<int:incentive_id>/granted/", pages.propose_granted, name="propose_granted"),
    path(f"{DESK}payouts/<int:payout_id>/proof.json", pages.proof, name="payout_proof"),
]
