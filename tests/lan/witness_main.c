/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The witness as a program of its own, for the LAN rig; the same code is `keelctl witness`. */
#include "ctl/witness.h"

int main(int argc, char **argv)
{
    return witness_main(argc, argv);
}
