"""Where the shared data are: beside the checkout, or where GUARD_SHARED says."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("GUARD_SHARED", str(Path(__file__).parents[2] / "../shared")))
TRACES = SHARED / "data/traces"
