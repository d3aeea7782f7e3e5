/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixed identity of each kind of message, for journald's MESSAGE_ID and whoever filters by it. An identity is
 * never changed or used again; a new kind gets a new random one (systemd-id128 new). doc/control.md lists them.
 */
#ifndef EVENKEEL_DAEMON_MESSAGE_ID_H
#define EVENKEEL_DAEMON_MESSAGE_ID_H

/* Of a kind, of which only what stands before a '/' counts ("unit_owner/web/50"). 32 hexadecimal digits; NULL: none. */
const char *message_id(const char *kind);

#endif
