"""Makes `benchmarks` and `examples`, which are not installed, importable in these tests.

The checkout goes to the end of the path, so that an installed `autograd` still comes first.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
