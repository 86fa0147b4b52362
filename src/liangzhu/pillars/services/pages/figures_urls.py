"""Addresses of the leader's figures."""

from django.urls import path

from liangzhu.pillars.services.pages import figures as pages

urlpatterns = [
    path("services/desk/figures/", pages.figures, name="figures"),
    path("services/desk/figures/rows/<slug:count>/", pages.rows, name="figure_rows"),
    path("services/desk/figures/file/<slug:form>/", pages.export, name="figures_file"),
]
