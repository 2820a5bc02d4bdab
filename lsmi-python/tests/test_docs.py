"""The examples of docstrings, and the Python blocks of README and docs, run as they are written, in order, one page a process.

What a page takes for granted, such as features of the reader's own, is made beforehand.
"""

from __future__ import annotations

import doctest
import importlib
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

WEIGHTS = """
open("weights.csv", "w").write("{columns}\\n" + "".join(f"{{row}},1,1,1,1\\n" for row in range(4)))
"""

SUSPECTS = FEATURES + """
import os as _os
_os.mkdir("suspects")
open("suspects/suspects.csv", "w").write("id,score\\n" + "".join(f"{row},{row / 100}\\n" for row in range(300)))
ids = list(range(300))
"""

#: A directory that machines share: an estimator, rows to score, a table of pictures and texts, and two models.
ENGINES = f"""
import sys as _sys
_sys.path.insert(0, {str(Path(__file__).parent)!r})
import encoders as _encoders, lsmi as _lsmi, os as _os, pathlib as _pathlib
import pyarrow as _pa, pyarrow.parquet as _pq
import ray as _ray
_os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
_ray.init(address="local", num_cpus=4, object_store_memory=200_000_000, include_dashboard=False, log_to_driver=False, logging_level="error")
_shared = _pathlib.Path("shared")
for _part in ("features", "table", "models"):
    (_shared / _part).mkdir(parents=True)
_d = _lsmi.simulate("gauss", 200, dims=3, classes=2)
_lsmi.analyze(_d["x1"], _d["x2"], _d["y"], repeats=1, folds=2).estimator.save(_shared / "estimator.safetensors")
_columns = {{name: list(_d[name]) for name in ("x1", "x2")}}
_pq.write_table(_pa.table({{"id": list(range(200)), **_columns, "y": _d["y"]}}), _shared / "features" / "0.parquet")
for _kind, _place in _encoders.models(_shared / "models").items():
    _os.rename(_place, _shared / "models" / _kind)
_pq.write_table(_pa.table(_encoders.table(_shared, 20, unreadable=7)), _shared / "table" / "0.parquet")
"""

#: What each page takes for granted, the packages that it shows, and what must hold after its blocks.
PAGES = {
    "README.md": (ANALYSIS, ["pandas", "polars", "torch"], 'assert len(samples) == 300 and _os_is_file("report.html")'),
    "docs/python.md": ("", [], 'assert len(a.samples["s_ccs"]) == 1906 and free.samples.num_rows == 100'),
    "docs/pytorch.md": ("", ["torch", "transformers", "lightning"], "assert len(tracked.history()) == 2"),
    "docs/formats.md": (
        ANALYSIS + "import torch\nfrom torch.utils.data import DataLoader\n",
        ["pandas", "polars", "torch"],
        "assert len(next(iter(loader))) == 64",
    ),
    "docs/guide.md": (
        WEIGHTS.format(columns="id,feature,output,auxiliary1,auxiliary2"),
        ["torch"],
        'assert weights([0, 3], "output").tolist() == [1, 1]',
    ),
    "docs/ensembles.md": (
        WEIGHTS.format(columns="id,x1,x2,joint,late"),
        ["torch"],
        "_p = torch.log_softmax(torch.eye(2), -1)\nassert ensemble([0, 1], dict.fromkeys(members, _p)).exp().sum(-1).allclose(torch.ones(2))",
    ),
    "docs/engines.md": (
        ENGINES,
        ["pyarrow", "ray"],
        '_scores, _embedded = (_pq.read_table(f"shared/{name}") for name in ("scores", "embedded.parquet"))\n'
        'assert _scores.num_rows == 200 and _embedded.num_rows == 19',
    ),
    "docs/clean.md": (SUSPECTS, ["torch"], "assert len(keep) == 200 and len(next(iter(loader))) == 64"),
    "lsmi-python/README.md": ("", [], 'assert len(a.samples["s"]) == 1906'),
}


@pytest.mark.parametrize("name", ["_analyze", *(f"_results.{kind}" for kind in ("several", "continuous", "labels", "lags"))])
def test_examples_of_docstrings_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"lsmi.{name}"))
    assert found.attempted > 0 and found.failed == 0


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_run_as_written(name: str, tmp_path: Path) -> None:
    page, (setup, packages, check) = ROOT / name, PAGES[name]
    if not page.is_file():
        pytest.skip("the pages are not beside the tests")
    for package in packages:
        pytest.importorskip(package)
    found = blocks(page)
    assert found, f"{name} has no block"
    program = setup + "".join(f"\n# block {number + 1} of {name}\n{block}" for number, block in enumerate(found))
    program += f"\nfrom os.path import isfile as _os_is_file\n{check}\n"
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
