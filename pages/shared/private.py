"""What Streamlit would do by itself with uploads and addresses, and does not do here."""

from starlette.formparsers import MultiPartParser
from streamlit import config, net_util


def keep_private() -> None:
    """Keep uploads in memory, and ask nobody outside for this machine's address.

    Otherwise those above 1 MB would pass through a file, and each visit from a page of another
    origin would ask a server on the internet where we are.
    """
    MultiPartParser.spool_max_size = (config.get_option("server.maxUploadSize") + 1) * 2**20
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None
