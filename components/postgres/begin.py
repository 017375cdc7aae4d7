"""Lets the first data be made again where that was cut off: nobody else would, and nobody could. Takes Patroni's configuration."""

import sys

from patroni.config import Config
from patroni.dcs import get_dcs

dcs = get_dcs(Config(sys.argv[1]))
# Begun, and not ended: an end writes down which data they are.
if dcs.get_cluster().initialize == "":
    print("the first data were begun and not ended: they are begun anew", flush=True)
    dcs.cancel_initialization()
