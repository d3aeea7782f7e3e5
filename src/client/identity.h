/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose rights a process that only reads has: none. For evenkeel-snmp and evenkeel-exporter; the daemon's worker has
 * platform/privilege.h. */
#ifndef EVENKEEL_CLIENT_IDENTITY_H
#define EVENKEEL_CLIENT_IDENTITY_H

#define IDENTITY_TEXT_MAX 160

/*
 * When root: becomes `user` (else `nobody`, when there is no such user) with that user's groups and without any
 * capability. In every case nothing that it runs can gain rights again. 0, or a negative errno with the reason in
 * `text`; the process must then end.
 */
int identity_drop(const char *user, char text[static IDENTITY_TEXT_MAX]);

#endif
