"""Residents and enterprises on the portal: sign-in through the province, who acts for whom, sessions, consents."""
