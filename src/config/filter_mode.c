/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter's modes by name, for whoever shows one without reading files. */
#include "config/config.h"

const char *filter_mode_name(uint8_t mode)
{
    switch ((enum filter_mode)mode) {
    case FILTER_AUTO:
        return "auto";
    case FILTER_OFF:
        return "off";
    case FILTER_ON:
        return "on";
    case FILTER_LEASE:
        return "lease";
    }
    return "unknown";
}
