/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vrrp_pool: bad files to the exact message and place. Links src/config and src/base.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_rig.h"

static void refuse(const char *text, const char *wanted)
{
    char findings[FINDINGS_MAX] = "";
    struct config *config = config_load_text("f", text, strlen(text), 0, collect, findings);

    assert_null(config);
    assert_string_equal(findings, wanted);
}

static void refuse_pool(const char *line, const char *finding)
{
    char text[1024], wanted[1024];

    snprintf(text, sizeof(text), POOL("%s"), line);
    snprintf(wanted, sizeof(wanted), "f:%s\n", finding);
    refuse(text, wanted);
}

static void refuse_vips(const char *lines, const char *finding)
{
    char text[2048], wanted[1024];

    snprintf(text, sizeof(text), VIPS("%s"), lines);
    snprintf(wanted, sizeof(wanted), "f:%s\n", finding);
    refuse(text, wanted);
}

static void test_config__unknown_keyword__is_named_with_a_suggestion(void **state)
{
    (void)state;
    refuse_pool("        advert_imt 1",
                "3:9: unknown keyword \"advert_imt\" in vrrp_pool; did you mean \"advert_int\"?");
    refuse_pool(" nothing_like_it 1", "3:2: unknown keyword \"nothing_like_it\" in vrrp_pool");
    refuse_pool(" real_server {\n a\n { b }\n }", "3:2: unknown keyword \"real_server\" in vrrp_pool");
    refuse_pool(" \"interface\" x", "3:2: unknown keyword \"interface\" in vrrp_pool; did you mean \"interface\"?");
    refuse("vrrp_pol web {\n a b\n}\n", "f:1:1: unknown keyword \"vrrp_pol\"; did you mean \"vrrp_pool\"?\n");
}

static void test_config__blocks_of_another_language__are_unknown(void **state)
{
    (void)state;
    refuse("global_defs {\n router_id x\n}\n" POOL(""), "f:1:1: unknown keyword \"global_defs\"\n");
    refuse("virtual_server 1.2.3.4 80 {\n real_server 1.1.1.1 80 { weight 1 }\n}\n" POOL(""),
           "f:1:1: unknown keyword \"virtual_server\"\n");
}

static void test_config__bad_values__say_what_was_expected(void **state)
{
    (void)state;
    refuse_pool(" advert_int", "3:2: advert_int needs an argument: SECONDS (0.01..255 s)");
    refuse_pool(" advert_int 0", "3:13: advert_int \"0\" is out of range; expected 0.01..255 s");
    refuse_pool(" advert_int 300", "3:13: advert_int \"300\" is out of range; expected 0.01..255 s");
    refuse_pool(" advert_int 41", "3:2: advert_int \"41\" is out of range; expected 0.01..40.95 s in version 3");
    refuse_pool(" advert_int 0.015", "3:13: advert_int \"0.015\" is too fine; expected steps of 0.01 s");
    refuse_pool(" advert_int 1x", "3:13: advert_int \"1x\" is not a number; expected 0.01..255 s");
    refuse_pool(" advert_int 0x10", "3:13: advert_int \"0x10\" is not a number; expected 0.01..255 s");
    refuse_pool(" advert_int 1.5\n version 2",
                "3:2: advert_int \"1.5\" needs version 3; expected whole seconds, 1..255 s, in version 2");
    refuse_pool(" advert_int 99999999999999999999",
                "3:13: advert_int \"99999999999999999999\" is out of range; expected 0.01..255 s");
    refuse_pool(" member_advert_int 41", "3:20: member_advert_int \"41\" is out of range; expected 0.01..40.95 s");
    refuse_pool(" priority 255", "3:11: priority \"255\" is out of range; expected 2..254");
    refuse_pool(" priority -1", "3:11: priority \"-1\" is out of range; expected 2..254");
    refuse_pool(" priority 2.5", "3:11: priority \"2.5\" is not a number; expected 2..254");
    refuse_pool(" version 4", "3:10: version \"4\" is out of range; expected 2..3");
    refuse_pool(" rebalance_moves 0", "3:18: rebalance_moves \"0\" is out of range; expected 1..255 or all");
    refuse_pool(" rebalance maybe", "3:12: rebalance cannot be \"maybe\"; expected on or off");
    refuse_pool(" arp_filter leese",
                "3:13: arp_filter cannot be \"leese\"; expected auto, off, on or lease; did you mean \"lease\"?");
    refuse_pool(" garp_master_repeat 0", "3:21: garp_master_repeat \"0\" is out of range; expected 1..100 rounds");
    refuse_pool(" use_vmac vrrp.1", "3:11: unexpected \"vrrp.1\" after use_vmac");
    refuse_pool(" priority 5 {\n }", "3:13: unexpected { after priority, which takes no block");
    refuse_pool(" {\n x\n }", "3:2: unexpected { after interface, which takes no block");
    refuse("{\n x\n}\n" POOL(""), "f:1:1: unexpected {: no keyword stands before it\n");
    refuse_pool(" isolation_targets", "3:2: isolation_targets needs an argument: ADDRESS...|none");
    refuse_pool(" isolation_targets none 10.0.0.1",
                "3:20: isolation_targets \"none\" is not an address; expected addresses, or none alone");
    refuse_pool(" isolation_targets 192.0.2.50",
                "3:20: isolation_targets \"192.0.2.50\" is one of the pool's own addresses; expected a third party");
    refuse_pool(" isolation_targets 224.0.0.1", "3:20: isolation_targets \"224.0.0.1\" is a multicast address");
    refuse_pool(" advert_int \x01\x1b[2J", "3:13: advert_int \"\\x01\\x1b[2J\" is not a number; expected 0.01..255 s");
}

static void test_config__keyword_twice__names_the_first(void **state)
{
    (void)state;
    refuse_pool(" priority 5\n advert_int 1\n priority 6", "5:2: priority is given twice; the first is at f:3");
    refuse_pool(" interface eth1", "3:2: interface is given twice; the first is at f:2");
    refuse_vips(" 192.0.2.1/24 vrid 3 vrid 4", "4:22: vrid is given twice; the first is at f:4");
    refuse_vips(" 192.0.2.1/24 dev eth1 dev eth0", "4:24: dev is given twice; the first is at f:4");
}

static void test_config__missing_parts__are_named(void **state)
{
    (void)state;
    refuse("", "f:0:0: the file defines no pool; expected vrrp_pool NAME { ... }\n");
    refuse("vrrp_pool {\n}\n", "f:1:1: vrrp_pool needs a name: vrrp_pool NAME { ... }\n");
    refuse("vrrp_pool web\n", "f:1:1: vrrp_pool must be followed by a block: vrrp_pool NAME { ... }\n");
    refuse("vrrp_pool web x {\n interface eth0\n virtual_ipaddress { 10.0.0.1 }\n}\n",
           "f:1:15: unexpected \"x\" after vrrp_pool's name\n");
    refuse("vrrp_pool web {\n}\n", "f:1:1: pool web has no interface; add \"interface IF\"\n"
                                   "f:1:1: pool web has no address; add virtual_ipaddress { ADDRESS/LENGTH ... }\n");
    refuse("vrrp_pool web {\n interface eth0\n virtual_ipaddress {\n }\n}\n",
           "f:3:2: virtual_ipaddress holds no address; expected ADDRESS/LENGTH ...\n");
    refuse("vrrp_pool we/b {\n interface eth0\n virtual_ipaddress { 10.0.0.1 }\n}\n",
           "f:1:11: \"we/b\" cannot be a pool's name (1 to 63 letters, digits, or . _ -)\n");
    refuse("vrrp_pool web {\n interface interface_of_16_\n virtual_ipaddress { 10.0.0.1 }\n}\n",
           "f:2:12: \"interface_of_16_\" is no interface name (1 to 15 characters, no / or :)\n");
}

static void test_config__bad_addresses__are_named(void **state)
{
    (void)state;
    refuse_vips(" 192.0.2.256/24",
                "4:2: \"192.0.2.256/24\" is neither an address nor an option; expected ADDRESS/LENGTH, dev, "
                "vrid, prefer or members");
    refuse_vips(" 192.0.2.1/24 vird 7",
                "4:15: \"vird\" is neither an address nor an option; expected ADDRESS/LENGTH, dev, vrid, "
                "prefer or members; did you mean \"vrid\"?");
    refuse_vips(" 192.0.2.1/33", "4:2: \"192.0.2.1/33\" has no valid prefix length; expected 1..32");
    refuse_vips(" 192.0.2.1/", "4:2: \"192.0.2.1/\" has no valid prefix length; expected 1..32");
    refuse_vips(" 2001:db8::1/129", "4:2: \"2001:db8::1/129\" has no valid prefix length; expected 1..128");
    refuse_vips(" 224.0.0.18", "4:2: \"224.0.0.18\" is a multicast address");
    refuse_vips(" ff02::12", "4:2: \"ff02::12\" is a multicast address");
    refuse_vips(" 127.0.0.1", "4:2: \"127.0.0.1\" is a loopback address");
    refuse_vips(" ::1", "4:2: \"::1\" is the loopback address");
    refuse_vips(" ::", "4:2: \"::\" is the unspecified address");
    refuse_vips(" 0.0.0.0", "4:2: \"0.0.0.0\" is an unspecified address");
    refuse_vips(" 255.255.255.255", "4:2: \"255.255.255.255\" is a reserved or broadcast address");
    refuse_vips(" ::ffff:1.2.3.4", "4:2: \"::ffff:1.2.3.4\" is an IPv4 address in IPv6 form; write it as IPv4");
    refuse_vips(" 192.0.2.255/24", "4:2: \"192.0.2.255/24\" is the broadcast address of its network");
    refuse_vips(" 192.0.2.0/24", "4:2: \"192.0.2.0/24\" is the address of its network, not of a host");
    refuse_vips(" vrid 7", "4:2: vrid must follow an address or a group on its line");
    refuse_vips(" { dev eth1 192.0.2.1 }", "4:4: dev must follow an address on its line");
    refuse_vips(" 192.0.2.1/24\n { }", "5:2: this group holds no address");
    refuse_vips(" { 192.0.2.1 { 192.0.2.2 } }", "4:14: a group of addresses cannot hold another group");
    refuse_vips(" 192.0.2.1 vrid 256", "4:17: vrid \"256\" is out of range; expected 1..255");
    refuse_vips(" 192.0.2.1 dev eth/0", "4:16: \"eth/0\" is no interface name (1 to 15 characters, no / or :)");
}

static void test_config__clashes__name_both_places(void **state)
{
    (void)state;
    refuse_vips(" 192.0.2.51/24\n 198.51.100.51/24", "5:2: unit \"198.51.100.51/24\" has VRID 51, and so has unit "
                                                     "\"192.0.2.51/24\" at f:4; give one of them another: "
                                                     "\"vrid 1\" is free");
    refuse_vips(
        " 192.0.2.51/24\n 192.0.2.52/24 vrid 51",
        "5:2: unit \"192.0.2.52/24\" has VRID 51, and so has unit \"192.0.2.51/24\" at f:4; give one of them another: "
        "\"vrid 1\" is free");
    refuse_vips(" 10.0.1.0/16",
                "4:2: unit \"10.0.1.0/16\" has no VRID, since its first address ends in 0; give it one: "
                "\"vrid 1\" is free");
    refuse_vips(" 192.0.2.51/24\n 192.0.2.52/24\n 192.0.2.51/32",
                "6:2: address 192.0.2.51 occurs twice; the first is at f:4");
    refuse(POOL("") "vrrp_pool b {\n interface eth1\n virtual_ipaddress { 192.0.2.50 }\n}\n",
           "f:10:22: address 192.0.2.50 occurs twice; the first is at f:5\n");
    refuse(
        POOL("") "vrrp_pool b {\n interface eth0\n virtual_ipaddress { 10.0.0.50 }\n}\n",
        "f:10:22: unit \"10.0.0.50\" has VRID 50, and so has unit \"192.0.2.50/24\" at f:5; give one of them another: "
        "\"vrid 1\" is free\n");
    refuse(POOL("") POOL(""), "f:8:11: pool web is defined twice; the first is at f:1\n"
                              "f:12:2: address 192.0.2.50 occurs twice; the first is at f:5\n");
    refuse_pool(" member_router_id 50",
                "3:2: member_router_id 50 is the VRID of unit \"192.0.2.50/24\" at f:5; expected one that "
                "no unit has");
    refuse_vips(" 2001:db8::1:5/64\n { fe80::200:5eff:fe00:205/64 2001:db8::9/64 } vrid 9",
                "5:4: address fe80::200:5eff:fe00:205 occurs twice; the first is at f:4");
}

static void test_config__pools_on_one_wire__must_agree(void **state)
{
    (void)state;
    refuse(POOL("") "vrrp_pool a {\n interface eth0\n priority 50\n member_advert_int 0.5\n virtual_ipaddress { "
                    "192.0.2.9 }\n}\n",
           "f:10:2: pools a and web (f:1) share interface eth0 and a family, so they must have the same priority\n"
           "f:11:2: pools a and web (f:1) share interface eth0 and a family, so they must have the same "
           "member_advert_int\n");
}

static void test_config__mixed_families__name_both_offenders(void **state)
{
    (void)state;
    refuse_vips(
        " 192.0.2.51/24\n 2001:db8::1/64",
        "5:2: the units of a pool must all have an IPv4 address, or all an IPv6 address, on its interface eth0: unit "
        "\"2001:db8::1/64\" has no IPv4 there, unit \"192.0.2.51/24\" at f:4 no IPv6");
    refuse_vips(" 192.0.2.51/24\n 192.0.2.52/24 dev eth1",
                "5:2: unit \"192.0.2.52/24\" has no address on the pool's interface eth0");
}

static void test_config__values_that_exclude_each_other__are_refused(void **state)
{
    (void)state;
    refuse_pool(" address_mode resident\n arp_filter off", "3:2: address_mode resident needs arp_filter auto, on or "
                                                           "lease: with off, all hosts would answer for all addresses");
    refuse_pool(" version 2\n checksum pseudo", "4:2: checksum pseudo needs version 3; version 2 has no pseudo header");
    refuse("vrrp_pool s {\n interface eth0\n version 2\n checksum plain\n virtual_ipaddress { 2001:db8::1 }\n}\n",
           "f:3:2: version 2 has no IPv6, and the pool's family is IPv6; expected version 3\n"
           "f:4:2: checksum plain is for IPv4, and the pool's family is IPv6, which always has a pseudo header\n");
    refuse_pool(" strict_members", "3:2: strict_members needs a members block that lists the hosts");
}

static void test_config__bad_members__are_named(void **state)
{
    (void)state;
    refuse_pool(" members { a }", "3:12: member \"a\" needs an address after its name");
    refuse_pool(" members { a b }", "3:14: \"b\" is not an address; expected NAME ADDRESS");
    refuse_pool(" members { 10.0.0.1 a }",
                "3:12: \"10.0.0.1\" cannot be a member's name (1 to 63 characters, no address, no "
                "blanks)\nf:3:21: \"a\" is not an address; expected NAME ADDRESS");
    refuse_pool(" members {\n a 10.0.0.1\n a 10.0.0.2\n }", "5:2: member \"a\" is named twice; the first is at f:4");
    refuse_pool(" members {\n a 10.0.0.1\n b 10.0.0.1\n }",
                "5:4: address \"10.0.0.1\" is that of member \"a\" already (f:4)");
    refuse_pool(" members { a 10.0.0.9 }\n virtual_ipaddress { 10.0.0.9 }",
                "3:14: address \"10.0.0.9\" is a virtual one of this pool (f:4)");
    refuse_pool(" members { a 2001:db8::1 }", "3:14: \"2001:db8::1\" cannot be a member: the pool's family is IPv4");
    refuse(
        "vrrp_pool s {\n interface eth0\n members { a 2001:db8::9 }\n virtual_ipaddress { 2001:db8::1 }\n}\n",
        "f:3:14: \"2001:db8::9\" cannot be a member: in an IPv6 pool members are known by their link-local addresses "
        "(fe80::...)\n");
    refuse_pool(" members { alpha 10.0.0.1 }\n virtual_ipaddress { 10.0.0.9 prefer alhpa }",
                "4:38: \"alhpa\" is no member listed under members, and no address; did you mean \"alpha\"?");
    refuse_pool(" members { alpha 10.0.0.1 }\n strict_members\n virtual_ipaddress { 10.0.0.9 members 10.0.0.2 }",
                "5:39: \"10.0.0.2\" is no member listed under members, as strict_members wants");
    refuse_pool(" virtual_ipaddress { 10.0.0.9 prefer 10.0.0.2 members 10.0.0.3 10.0.0.4 }",
                "3:38: \"10.0.0.2\" is preferred, but not among the unit's members");
    refuse_pool(" virtual_ipaddress { 10.0.0.9 prefer 10.0.0.2 10.0.0.2 }",
                "3:47: member \"10.0.0.2\" is listed twice");
    refuse_pool(" virtual_ipaddress { 10.0.0.9 prefer }", "3:31: prefer needs an argument: MEMBER...");
}

static void test_config__too_much__is_refused(void **state)
{
    (void)state;
    refuse_pool(" virtual_ipaddress { \n ~SEQ(i,1,254) 10.0.0.${i}/8\n ~SEQ(i,1,254) 10.0.1.${i}/8\n }",
                "3:2: 509 units, but a pool can have only 255; let addresses share a VRID with \"vips_per_vrid 2\", or "
                "put them into "
                "groups");
    refuse_pool(" vips_per_vrid 2\n virtual_ipaddress { \n ~SEQ(a,1,30) ~SEQ(i,1,10) 10.0.${a}.${i}0/8\n }",
                "4:2: 301 units even with vips_per_vrid 2, but a pool can have only 255; raise vips_per_vrid, or put "
                "addresses into "
                "groups");
    refuse_pool(" virtual_router_id 255\n virtual_ipaddress { 10.0.0.1 }",
                "6:2: counting from virtual_router_id 255 gives unit \"192.0.2.50/24\" a VRID above 255; start lower");
    refuse_vips(" {\n ~SEQ(a,1,2) ~SEQ(i,1,130) 10.0.${a}.${i}/8\n }",
                "4:2: unit \"10.0.1.1/8\" has 260 addresses to advertise, but at most 255 fit one advertisement; make "
                "several units "
                "of it");
    refuse_vips(" {\n ~SEQ(i,1,90) 2001:db8::${i}\n }", "4:2: unit \"2001:db8::1\" has 91 addresses to advertise, but "
                                                        "at most 90 fit one advertisement; make several units "
                                                        "of it");
    refuse("~SEQ(i,1,17) vrrp_pool p${i} { interface e${i} virtual_ipaddress { 10.0.0.${i} } }\n",
           "f:1:14: 17 pools, but there can be at most 16\n");
    refuse_pool(" virtual_ipaddress {\n ~SEQ(i,1,32) 10.0.0.${i} dev e${i}\n }",
                "4:31: interface \"e32\" is one too many; at most 32 can be used");
    refuse_pool(" members {\n ~SEQ(i,1,65) m${i} 10.0.0.${i}\n }", "3:2: 65 members, but a pool can have at most 64");
}

static void test_config__many_errors__are_counted_after_twenty(void **state)
{
    char text[4096] = "vrrp_pool web {\n", findings[FINDINGS_MAX] = "";
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        strcat(text, " xyzzy 1\n");
    strcat(text, "}\n");
    assert_null(config_load_text("f", text, strlen(text), 0, collect, findings));
    for (const char *c = findings; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 21);
    assert_non_null(strstr(findings, "f:19:2: unknown keyword \"xyzzy\" in vrrp_pool\n"));
    assert_null(strstr(findings, "f:20:2: "));
    assert_non_null(strstr(findings, "warning: 12 more errors are not shown\n"));
}

static void test_config__untrusted_text__reads_nothing_else(void **state)
{
    static const char text[] = "include /etc/hostname\n";
    char findings[FINDINGS_MAX] = "";

    (void)state;
    assert_null(config_load_text("f", text, strlen(text), CONFIG_UNTRUSTED, collect, findings));
    assert_string_equal(findings, "f:1:9: include is not allowed here\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__unknown_keyword__is_named_with_a_suggestion),
        cmocka_unit_test(test_config__blocks_of_another_language__are_unknown),
        cmocka_unit_test(test_config__bad_values__say_what_was_expected),
        cmocka_unit_test(test_config__keyword_twice__names_the_first),
        cmocka_unit_test(test_config__missing_parts__are_named),
        cmocka_unit_test(test_config__bad_addresses__are_named),
        cmocka_unit_test(test_config__clashes__name_both_places),
        cmocka_unit_test(test_config__pools_on_one_wire__must_agree),
        cmocka_unit_test(test_config__mixed_families__name_both_offenders),
        cmocka_unit_test(test_config__values_that_exclude_each_other__are_refused),
        cmocka_unit_test(test_config__bad_members__are_named),
        cmocka_unit_test(test_config__too_much__is_refused),
        cmocka_unit_test(test_config__many_errors__are_counted_after_twenty),
        cmocka_unit_test(test_config__untrusted_text__reads_nothing_else),
    };

    return cmocka_run_group_tests_name("config_errors", tests, NULL, NULL);
}
