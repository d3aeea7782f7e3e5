/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `keelctl witness`: watches virtual addresses from any host of the LAN, without a daemon, and measures what a client
 * would see. Called by keelctl's command table.
 */
#ifndef EVENKEEL_CTL_WITNESS_H
#define EVENKEEL_CTL_WITNESS_H

/* Runs until --duration is over or SIGINT/SIGTERM. argv[0] is the command's name for messages. Returns an exit code of
 * sysexits.h. */
int witness_main(int argc, char **argv);

#endif
