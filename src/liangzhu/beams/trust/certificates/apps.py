"""The app's configuration."""

from liangzhu.kernel.apps import HouseApp


class CertificatesApp(HouseApp):
    """Electronic certificates, the seals that sign them, sealed papers, and their verification by anybody."""

    name = "liangzhu.beams.trust.certificates"
    label = "certificates"
    verbose_name = "电子证照"
