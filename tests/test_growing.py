"""Arrays that grow on the disk: as numpy reads them, and gone on with only where nothing was changed."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.growing import Altered, Growing


def made(path, blocks, dtype=np.float32):
    file = Growing(path, dtype)
    for block in blocks:
        file.append(np.asarray(block, dtype))
    file.close()
    return np.load(path)


BLOCKS = [np.arange(12).reshape(2, 3, 2), np.arange(12, 18).reshape(1, 3, 2)]
FLAT = [np.arange(2), np.arange(2, 3)]


def test_what_was_appended_is_read(tmp_path):
    assert np.array_equal(made(tmp_path / "a.npy", BLOCKS), np.concatenate(BLOCKS))
    assert made(tmp_path / "none.npy", []).shape == (0,)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.bool_])
@pytest.mark.parametrize("blocks", [BLOCKS, FLAT])
def test_a_broken_file_is_gone_on_with_behind_its_mark(tmp_path, blocks, dtype):
    whole = made(tmp_path / "whole.npy", blocks, dtype)
    file = Growing(tmp_path / "part.npy", dtype)
    file.append(blocks[0].astype(dtype))
    mark = file.mark()
    file.append(blocks[0].astype(dtype))  # behind the mark: not known to be whole
    file._file.flush()
    again = Growing(tmp_path / "part.npy", dtype, mark)
    assert len(again) == 2
    again.append(blocks[1].astype(dtype))
    again.close()
    assert (tmp_path / "part.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes() and len(whole) == 3


def test_a_file_of_no_rows_yet_is_gone_on_with(tmp_path):
    mark = Growing(tmp_path / "a.npy", np.float32).mark()
    again = Growing(tmp_path / "a.npy", np.float32, mark)
    again.append(np.zeros((1, 2), np.float32))
    again.close()
    assert np.load(tmp_path / "a.npy").shape == (1, 2)


@pytest.mark.parametrize("change", ["flipped", "short"])
def test_what_is_not_as_marked_is_refused(tmp_path, change):
    file = Growing(tmp_path / "a.npy", np.float32)
    file.append(np.ones((5, 2)))
    mark = file.mark()
    data = bytearray((tmp_path / "a.npy").read_bytes())
    data[-3] ^= 1
    (tmp_path / "a.npy").write_bytes(bytes(data) if change == "flipped" else bytes(data[:-8]))
    with pytest.raises(Altered):
        Growing(tmp_path / "a.npy", np.float32, mark)


@pytest.mark.parametrize(
    "changes", [{"rows": "x"}, {"rows": -5}, {"rows": 10**30}, {"shape": 5}, {"shape": [-1]}, {"sha256": None}]
)
def test_a_mark_that_is_not_ours_is_refused(tmp_path, changes):
    file = Growing(tmp_path / "a.npy", np.float32)
    file.append(np.ones((5, 2)))
    mark = file.mark() | changes
    file.close()
    with pytest.raises(Altered):
        Growing(tmp_path / "a.npy", np.float32, mark)
