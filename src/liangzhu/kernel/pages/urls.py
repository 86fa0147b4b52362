"""The addresses of the kernel, from the root: some are for everybody."""

from django.urls import path

from liangzhu.kernel.pages import log, views

app_name = "kernel"
urlpatterns = [
    path("log/", log.overview, name="log"),
    path("log/heads/", log.heads, name="log_heads"),
    path("log/heads.json", log.heads_json, name="log_heads_json"),
    path("log/head.json", log.head_json, name="log_head_json"),
    path("log/keys.json", log.keys_json, name="log_keys_json"),
    path("log/proof/<int:number>.json", log.proof_json, name="log_proof"),
    path("log/consistency/<int:old>/<int:new>.json", log.consistency_json, name="log_consistency"),
    path("log/leaf/<int:number>.json", log.leaf_json, name="log_leaf"),
    path("log/verify.py", log.verifier, name="log_verifier"),
    path("operate/deliveries/", views.deliveries, name="deliveries"),
    path("operate/deliveries/replay/", views.replay_handler, name="replay_handler"),
    path("operate/deliveries/skip/", views.skip_handler, name="skip_handler"),
    path("operate/deliveries/<int:delivery_id>/replay/", views.replay, name="replay"),
    path("operate/deliveries/<int:delivery_id>/skip/", views.skip, name="skip"),
]
