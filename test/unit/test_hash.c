/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/hash.h"
#include "alloc/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], key[96], half[96];
static struct err e;

static int setup(void **state) {
    (void)state;
    err_clear(&e);
    snprintf(folder, sizeof folder, "/tmp/test-hash-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(half, sizeof half, "%s/half", folder);
    return key_create(key, &e);
}

static int teardown(void **state) {
    (void)state;
    unlink(key);
    unlink(half);
    return rmdir(folder);
}

static void write_file(const char *path, const char *text, mode_t mode) {
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
}

static void known_texts_have_the_known_hashes(void **state) {
    (void)state;
    /* FIPS 180-4 examples */
    assert_string_equal(hash_of("", 0).hex,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(hash_of("abc", 3).hex,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void random_digits_are_hexadecimal_and_differ(void **state) {
    (void)state;
    char a[33], b[33];
    hash_random_hex(a, sizeof a);
    hash_random_hex(b, sizeof b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

static void a_signature_fits_its_text_and_no_other(void **state) {
    (void)state;
    scoped_free char *signature = key_sign(key, "head 1\n", &e);
    assert_non_null(signature);
    assert_int_equal(key_verify(key, "head 1\n", signature, &e), 0);
    assert_int_equal(key_verify(key, "head 2\n", signature, &e), -1);
    assert_int_equal(e.code, ERR_BOOKS);
}

static void the_public_half_alone_verifies_and_cannot_sign(void **state) {
    (void)state;
    scoped_free char *public = key_public(key, &e);
    assert_non_null(public);
    write_file(half, public, 0644);
    scoped_free char *signature = key_sign(key, "text", &e);
    assert_int_equal(key_verify(half, "text", signature, &e), 0);
    assert_int_equal(key_verify(half, "other", signature, &e), -1);
    assert_int_equal(e.code, ERR_BOOKS);
    err_clear(&e);
    assert_null(key_sign(half, "text", &e));
    assert_int_equal(e.code, ERR_FAILED);
}

static void another_key_does_not_verify(void **state) {
    (void)state;
    scoped_free char *signature = key_sign(key, "text", &e);
    assert_int_equal(key_create(half, &e), 0);
    assert_int_equal(key_verify(half, "text", signature, &e), -1);
    assert_int_equal(e.code, ERR_BOOKS);
}

static void a_signature_that_is_none_is_refused(void **state) {
    (void)state;
    char long_enough[89];
    memset(long_enough, '!', 88);
    long_enough[88] = '\0';
    const char *const wrong[] = {"", "x", "AAAA", long_enough};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_clear(&e);
        assert_int_equal(key_verify(key, "text", wrong[i], &e), -1);
        assert_int_equal(e.code, ERR_BOOKS);
    }
}

static void a_key_is_made_for_its_owner_only_and_never_replaced(void **state) {
    (void)state;
    struct stat st;
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(key_create(key, &e), -1);
    assert_non_null(strstr(e.what, key));
}

static void a_key_that_others_may_read_is_refused(void **state) {
    (void)state;
    assert_int_equal(chmod(key, 0644), 0);
    assert_null(key_sign(key, "text", &e));
    assert_non_null(strstr(e.what, "others may read it"));
    assert_non_null(strstr(e.hint, "chmod 600"));
}

static void a_file_that_is_no_key_is_refused(void **state) {
    (void)state;
    write_file(half, "no key at all\n", 0600);
    assert_null(key_sign(half, "text", &e));
    assert_non_null(strstr(e.what, "is not an Ed25519 key"));
    err_clear(&e);
    assert_null(key_public("/nonexistent/key", &e));
    assert_non_null(strstr(e.hint, "audit key --create"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(known_texts_have_the_known_hashes),
        CASE(random_digits_are_hexadecimal_and_differ),
        CASE(a_signature_fits_its_text_and_no_other),
        CASE(the_public_half_alone_verifies_and_cannot_sign),
        CASE(another_key_does_not_verify),
        CASE(a_signature_that_is_none_is_refused),
        CASE(a_key_is_made_for_its_owner_only_and_never_replaced),
        CASE(a_key_that_others_may_read_is_refused),
        CASE(a_file_that_is_no_key_is_refused),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
