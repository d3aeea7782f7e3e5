/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base: addresses, bounded reader and writer, checksum, hash, generator, time. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/mono.h"
#include "base/prng.h"

static struct addr parsed(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

static void test_addr__text_of_both_families__round_trip(void **state)
{
    static const char *const texts[] = {"0.0.0.0",   "192.0.2.50",        "255.255.255.255", "::",
                                        "fe80::1",   "2001:db8::50",      "ff02::12",        "::ffff:1.2.3.4",
                                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct addr a = parsed(texts[i]);
        char text[ADDR_TEXT_MAX];

        assert_ptr_equal(addr_format(&a, text), text);
        assert_string_equal(text, texts[i]);
        assert_int_equal(addr_length(&a), strchr(texts[i], ':') ? 16 : 4);
    }
}

static void test_addr__not_an_address__refused_and_none(void **state)
{
    static const char *const texts[] = {"",       "192.0.2",      " 192.0.2.1",   "192.0.2.1 ", "192.0.2.1/24",
                                        "eth0",   "192.0.2.256",  "192.0.2.050x", "1::2::3",    "fe80::1%eth0",
                                        "-"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];

        memset(&a, 0xff, sizeof(a));
        assert_false(addr_parse(texts[i], &a));
        assert_true(addr_is_none(&a));
        assert_int_equal(addr_length(&a), 0);
        assert_string_equal(addr_format(&a, text), "-");
    }
}

static void test_addr__order__family_then_unsigned_bytes(void **state)
{
    static const char *const rising[] = {"9.255.0.0", "10.0.0.1", "10.0.0.2", "128.0.0.1",
                                         "::",        "fe80::1",  "fe80::ffff:0:0:1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rising); i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(rising); k++) {
            struct addr a = parsed(rising[i]);
            struct addr b = parsed(rising[k]);
            int order = addr_compare(&a, &b);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
            assert_true(addr_equal(&a, &b) == (i == k));
        }
        struct addr none = ADDR_NONE;
        struct addr a = parsed(rising[i]);

        assert_true(addr_compare(&none, &a) < 0);
    }
}

static void test_addr__kinds__recognised(void **state)
{
    struct addr a;

    (void)state;
    a = parsed("fe80::1");
    assert_true(addr_is_link_local(&a));
    a = parsed("febf::1");
    assert_true(addr_is_link_local(&a));
    a = parsed("fec0::1");
    assert_false(addr_is_link_local(&a));
    a = parsed("169.254.0.1");
    assert_false(addr_is_link_local(&a));
    a = parsed("254.128.0.0"); /* fe 80 as IPv4 */
    assert_false(addr_is_link_local(&a));
    assert_false(addr_is_multicast(&a));
    a = parsed("224.0.0.18");
    assert_true(addr_is_multicast(&a));
    a = parsed("239.255.255.255");
    assert_true(addr_is_multicast(&a));
    a = parsed("240.0.0.1");
    assert_false(addr_is_multicast(&a));
    a = parsed("ff02::12");
    assert_true(addr_is_multicast(&a));
}

static void test_addr__last_byte_and_virtual_link_local__as_written_in_the_header(void **state)
{
    struct addr a = parsed("192.0.2.50");
    struct addr b = parsed("2001:db8::51");
    struct addr none = ADDR_NONE;
    struct addr expected = parsed("fe80::200:5eff:fe00:2fa");
    struct addr made = addr_virtual_link_local(0xfa);

    (void)state;
    assert_int_equal(addr_last_byte(&a), 50);
    assert_int_equal(addr_last_byte(&b), 0x51);
    assert_int_equal(addr_last_byte(&none), 0);
    assert_true(addr_equal(&made, &expected));
}

static void test_reader__past_the_end__error_sticks(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct reader r = reader_init(data, sizeof(data));

    (void)state;
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u32(&r), 0x04050607);
    assert_int_equal(reader_left(&r), 2);
    assert_int_equal(read_u32(&r), 0);
    assert_false(r.ok);
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(read_u8(&r), 0);
    assert_null(read_bytes(&r, 0));

    r = reader_init(data, sizeof(data));
    assert_null(read_bytes(&r, SIZE_MAX));
    assert_false(r.ok);
    r = reader_init(NULL, 0);
    assert_int_equal(reader_left(&r), 0);
    assert_true(r.ok);
}

static void test_writer__full__error_sticks_and_nothing_is_overrun(void **state)
{
    uint8_t data[9] = {0};
    static const uint8_t expected[9] = {1, 0xaa, 0xbb, 4, 5, 6, 7, 0, 0};
    struct writer w = writer_init(data, 8);

    (void)state;
    write_u8(&w, 1);
    write_u16(&w, 0x0203);
    write_u32(&w, 0x04050607);
    write_u16_at(&w, 1, 0xaabb);
    assert_true(w.ok);
    assert_int_equal(w.offset, 7);
    write_u16(&w, 0xffff);
    assert_false(w.ok);
    write_u8(&w, 0xff);
    assert_memory_equal(data, expected, sizeof(data));

    w = writer_init(data, 8);
    write_u8(&w, 1);
    write_u16_at(&w, 0, 0xffff);
    assert_false(w.ok);
    w = writer_init(data, 8);
    write_bytes(&w, NULL, 0);
    assert_true(w.ok);
    write_bytes(&w, data, SIZE_MAX);
    assert_false(w.ok);
}

static void test_checksum__rfc_1071_example__folds_to_its_sum(void **state)
{
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}; /* RFC 1071 section 3 */
    static uint8_t ones[300001];

    (void)state;
    assert_int_equal(checksum_fold(checksum_add(0, data, sizeof(data))), 0xddf2);
    assert_int_equal(checksum_fold(checksum_add(checksum_add(0, data, 4), data + 4, 4)), 0xddf2);
    assert_int_equal(checksum_fold(checksum_add(0, data, 3)), 0xf201); /* an odd end is padded with zero */
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(checksum_fold(checksum_add(UINT32_MAX, ones, sizeof(ones) - 1)), 0xffff);
}

static uint64_t hashed(const char *text)
{
    return hash_add(HASH_START, text, strlen(text));
}

static void test_hash__published_vectors__same_for_ever(void **state)
{
    (void)state;
    assert_true(hashed("") == 0xcbf29ce484222325u);
    assert_true(hashed("a") == 0xaf63dc4c8601ec8cu);
    assert_true(hashed("foobar") == 0x85944171f73967e8u);
    assert_true(hash_add(hashed("foo"), "bar", 3) == hashed("foobar"));
    assert_true(hash_finish(0) == 0);
    assert_true(hash_finish(1) == 0xb456bcfc34c2cb2cu); /* MurmurHash3 fmix64(1) */
}

static void test_prng__published_vectors__same_for_ever(void **state)
{
    /* splitmix64 of seed 0, then the first numbers of xoshiro256** from that state */
    struct prng p = prng_seed(0);

    (void)state;
    assert_true(p.state[0] == 0xe220a8397b1dcdafu);
    assert_true(p.state[1] == 0x6e789e6aa1b965f4u);
    assert_true(p.state[2] == 0x06c45d188009454fu);
    assert_true(p.state[3] == 0xf88bb8a8724c81ecu);
    assert_true(prng_next(&p) == 0x99ec5f36cb75f2b4u);
    p = (struct prng){{1, 2, 3, 4}};
    assert_true(prng_next(&p) == 11520);
    assert_true(prng_next(&p) == 0);
    assert_true(prng_next(&p) == 1509978240);
}

static void test_prng__ranges__inclusive_and_all_reached(void **state)
{
    struct prng p = prng_seed(1);
    unsigned seen[7] = {0};
    unsigned hits = 0;

    (void)state;
    for (int i = 0; i < 7000; i++) {
        int64_t value = prng_between(&p, -3, 3);

        assert_in_range(value + 3, 0, 6);
        seen[value + 3]++;
        hits += prng_chance_ppm(&p, 250000);
        assert_true(prng_below(&p, 1) == 0);
        assert_true(prng_between(&p, INT64_MIN, INT64_MIN) == INT64_MIN);
        prng_between(&p, INT64_MIN, INT64_MAX);
        assert_false(prng_chance_ppm(&p, 0));
        assert_true(prng_chance_ppm(&p, 1000000));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(seen); i++)
        assert_in_range(seen[i], 800, 1200);
    assert_in_range(hits, 1600, 1900);
}

static void test_mono__never__after_everything(void **state)
{
    struct mono t = {5 * US_PER_MS};

    (void)state;
    assert_true(mono_after(MONO_NEVER, t));
    assert_true(mono_is_never(mono_add(MONO_NEVER, 1)));
    assert_true(mono_min(MONO_NEVER, t).us == t.us);
    assert_true(mono_is_never(mono_max(MONO_NEVER, t)));
    assert_true(mono_due(t, t));
    assert_false(mono_after(t, t));
    assert_true(mono_diff_us(mono_add(t, -7), t) == -7);
}

static void test_check__false__aborts_with_its_place(void **state)
{
    int pipes[2];
    char text[200] = {0};
    int status;

    (void)state;
    CHECK(1 + 1 == 2);
    assert_int_equal(pipe(pipes), 0);

    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka's and the sanitizers' handlers are not what is tested */
        dup2(pipes[1], STDERR_FILENO);
        CHECK(1 + 1 == 3);
        _exit(0);
    }
    close(pipes[1]);
    assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "test_base.c:"));
    assert_non_null(strstr(text, ": CHECK failed: 1 + 1 == 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addr__text_of_both_families__round_trip),
        cmocka_unit_test(test_addr__not_an_address__refused_and_none),
        cmocka_unit_test(test_addr__order__family_then_unsigned_bytes),
        cmocka_unit_test(test_addr__kinds__recognised),
        cmocka_unit_test(test_addr__last_byte_and_virtual_link_local__as_written_in_the_header),
        cmocka_unit_test(test_reader__past_the_end__error_sticks),
        cmocka_unit_test(test_writer__full__error_sticks_and_nothing_is_overrun),
        cmocka_unit_test(test_checksum__rfc_1071_example__folds_to_its_sum),
        cmocka_unit_test(test_hash__published_vectors__same_for_ever),
        cmocka_unit_test(test_prng__published_vectors__same_for_ever),
        cmocka_unit_test(test_prng__ranges__inclusive_and_all_reached),
        cmocka_unit_test(test_mono__never__after_everything),
        cmocka_unit_test(test_check__false__aborts_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
