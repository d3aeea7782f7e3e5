#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs lint.py on the tree and on the archives of the build it is called in.
exec "${PYTHON3:-python3}" "${top_srcdir:-.}/tests/lint/lint.py" --core-archive libcore.a --base-archive libbase.a
