#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Lints of the tree, of the archives and of the programs of the build it is called in.
python=${PYTHON3:-python3} top=${top_srcdir:-.}
"$python" "$top/tests/lint/lint.py" --core-archive libcore.a --base-archive libbase.a || exit
"$python" "$top/tests/lint/manuals.py" "$top"
