"""Replays every fuzz target's seeds; `make fuzz` looks for new ones."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get('POSTA_BUILD', ROOT / 'build/release'))


@pytest.mark.parametrize('name', sorted(p.stem for p in HERE.glob('*.c')))
def test_replay(name):
    seeds = HERE / 'corpus' / name
    done = subprocess.run(
        [BUILD / 't/fuzz' / name, *sorted(seeds.glob('*'))], text=True,
        errors='replace', stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=120)
    assert done.returncode == 0, done.stdout
