"""From an instance folder to the instance, its hours, and where everything came from."""

from __future__ import annotations

from optimizer.load.catalogue import Catalogue, Default
from optimizer.load.folder import Loaded, examine, load
from optimizer.load.tables import Source

__all__ = ["Catalogue", "Default", "Loaded", "Source", "examine", "load"]
