"""Papers of the programme: letters of supervision, the progress report, the ledger as a workbook."""
