/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of message identities. Called by log.c. */
#include "daemon/message_id.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"

static const struct {
    const char *kind, *id;
} ids[] = {
    {"unit_state", "f5c3c1371f0143cf96ff9b3b27ae92ef"},       {"unit_owner", "06c1a3adc13b434692f079fe0cd48dd6"},
    {"member_joined", "055ea87041394c7ab752b8ea84b630fb"},    {"member_left", "93fc7b9d77df4cd6b0512ae73f830963"},
    {"member_dead", "ac602ddcbdf84c32a759e7aa1e20bca2"},      {"member_reserve", "a86541c4bae846e59cd7faec6feb54a9"},
    {"member_active", "6d6e92a0fd044181a2ec5e5bcaff0734"},    {"members_full", "8c14145274f7484981bda59cbadd2f76"},
    {"member_vrid", "2c5e7791cc4840899eaf35e9c32f9175"},      {"contest", "c1d3ec091bd444c0bbecfd294dcfaea0"},
    {"one_way", "eb5ebbae17124573b6e7dee3c908fe55"},          {"isolated", "84b19a63bda94d10a072a31a25e3ab16"},
    {"rejoined", "7ae399caa30142a7afa357dade81f5ae"},         {"stalled", "17356bfa4ac0432189763b5517f7216a"},
    {"stranger", "4a073e6e67164af6b68597a70f81a5d0"},         {"address_list", "1602c8e097404701b1bcf67bac8f6747"},
    {"move_passed_over", "288940d479b5432cac067076e30f3bf3"}, {"kernel_failed", "1df986a514f245baa18b2aaac60b0718"},
    {"interval_differs", "3d699b5aee864f129e36c89d587d4e1f"}, {"duplicate_address", "0eacb4852d0c4e5e899168abee2823e9"},
    {"instance_state", "b6ce60ccb1bf4040916f58a144516d3b"},   {"group_state", "580f487292bd4782911f0f35eb8ddc58"},
    {"priority", "e3f5c24112844283a7494c1b9de3bb2a"},         {"weaker", "f6982a50c3a14f2d939dcbd5e8c8ddc5"},
    {"conflict", "de259a3cc34b4b5c87c4e585292c5fde"},         {"log_held_back", "44153090191b4eff985e5b2cf42d4895"},
    {"log_lost", "731d994692034a5b940e1ad9f2e77037"},
};

const char *message_id(const char *kind)
{
    size_t length = strcspn(kind, "/");

    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
        if (strlen(ids[i].kind) == length && memcmp(ids[i].kind, kind, length) == 0)
            return ids[i].id;
    }
    return NULL;
}
