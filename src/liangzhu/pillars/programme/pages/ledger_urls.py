"""The addresses of the ledger."""

from django.urls import path

from liangzhu.pillars.programme.pages import ledger

urlpatterns = [
    path("programme/", ledger.ledger, name="ledger"),
    path("programme/tasks/<int:task_id>/", ledger.task, name="task"),
    path("programme/tasks/<int:task_id>/split/", ledger.split, name="split"),
    path("programme/tasks/<int:task_id>/extend/", ledger.extend, name="extend"),
    path("programme/tasks/<int:task_id>/limit/", ledger.limit, name="limit"),
    path("programme/tasks/<int:task_id>/helper/", ledger.helper, name="helper"),
    path("programme/tasks/<int:task_id>/publish/", ledger.publish, name="publish"),
    path("programme/steps/<int:step_id>/", ledger.step, name="step"),
    path("programme/steps/<int:step_id>/finish/", ledger.finish_step, name="finish_step"),
    path("programme/checks/", ledger.checks, name="checks"),
    path("programme/checks/<int:clause_id>/", ledger.check, name="check"),
    path("programme/letters/", ledger.letter_list, name="letters"),
    path("programme/letters/urge/", ledger.urge, name="urge"),
    path("programme/letters/criticise/", ledger.criticise, name="criticise"),
    path("programme/letters/<int:letter_id>/", ledger.letter, name="letter"),
    path("programme/letters/<int:letter_id>/sign/", ledger.sign_letter, name="sign_letter"),
]
