import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # programs to lint stand in files of their own
