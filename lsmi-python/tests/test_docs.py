"""The Python blocks of README and docs, run as they are written, in order, one page a process.

What a page takes for granted, such as features of the reader's own, is made beforehand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("LSMI_ROOT", Path(__file__).parents[2]))

FEATURES = """
import lsmi as _lsmi, numpy as _np
_x1, _x2, _y, _ids = _lsmi.demo_data()
image_features, text_features, labels = _x1[:300], _x2[:300], _y[:300]
class _Rows:
    def __len__(self): return 300
    def __getitem__(self, row): return image_features[row]
dataset = _Rows()
"""

ANALYSIS = FEATURES + """
_a = _lsmi.analyze(image_features, text_features, labels, measures=["ccs"], repeats=1, folds=2)
_a.write("result")
_a.samples.write("result/samples.parquet")
"""

#: What each page takes for granted, and the packages that it shows.
PAGES = {
    "README.md": (ANALYSIS, ["pandas", "polars", "torch"]),
    "docs/python.md": ("", []),
    "docs/pytorch.md": ("", ["torch", "transformers", "lightning"]),
    "docs/formats.md": (ANALYSIS + "import torch\nfrom torch.utils.data import DataLoader\n", ["pandas", "polars", "torch"]),
    "lsmi-python/README.md": ("", []),
}


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_run_as_written(name: str, tmp_path: Path) -> None:
    page, (setup, packages) = ROOT / name, PAGES[name]
    if not page.is_file():
        pytest.skip("the pages are not beside the tests")
    for package in packages:
        pytest.importorskip(package)
    found = blocks(page)
    assert found, f"{name} has no block"
    program = setup + "".join(f"\n# block {number + 1} of {name}\n{block}" for number, block in enumerate(found))
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
