/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/tenant.h"

#include "alloc/scope.h"
#include "alloc/tenant_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Made by ssh-keygen, which also printed the fingerprints; their private halves are gone. */
static const char ed25519[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINRbH8g/nreb8/slA1yhuF4Wys9w6X1R4QvArGNIk8+J";
static const char ed25519_name[] = "SHA256:FEIHmqTk4M1EpM9UrcG4mP1SYnSBRrAxMB7zHXApY30";
static const char rsa[] =
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQCeIGuVzomNYpsyoESdYEH429T66UV0+"
    "fClvEIeLVfTcsAFzW7y0yOeHyEcLEqgcPFdbUgDDRS3dLgWuTl5l6sMD3Ie7iSvjSHr7dD7kgZ4hr1rCTfUWhr4ZPXkIXghT4bpCK/"
    "+NX/"
    "Z3PwHHx+VpuYcVCvCjZZleJwQKfpCZPxSh+"
    "GvUgOLjz4xnIRTd90Y6EHkLTX8ENlobD1FjnMg07XYdMZK2xYqPmFEEyMsgJIQXdarrGb9uIVOD5MlZ4aNgNDtCzQEoH1k/"
    "1OV95FAG8Dvbt1ZIgdS+bF4MvBIuEZ5d1ndX4N8/jMEVMO3n2UNe41E3QNAIL9T1OPH/BvgH/dV";
static const char rsa_name[] = "SHA256:IKy9x3l/aLeAOpy6Mh43epLAI0Foqms62rOzg/OpQuw";
static const char ecdsa[] = "ecdsa-sha2-nistp256 "
                            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLvCxNMq3B6UYqVhHTXR7R7J7Mw4"
                            "HdOKmRR9mnstUzGoScB+FIc/EvXrGyVtDw8LpLID7qfhsYh6VG0NkrVsPq4=";
static const char ecdsa_name[] = "SHA256:KEiIFrq+2Vko2NYarWKRHgk/gFg+WJQzS2wnrAOuHqM";
static const char ecdsa521[] =
    "ecdsa-sha2-nistp521 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAC54BKbaHtEbhyvoTSKNzyGf534d8vKQvqn5P3C96udXiL4E6+"
    "s9tAAXIAloQWmGRzaSxVu+xaXZY0WZWupg3dJVgGDl+"
    "z3PwphhVOqL1qH7RIsIFjNumYqBNw4JUvzi8COrbP3omyVfK8Q1f3O82sTXux2h7eX2Sq/o75ir4VXjiJoAA==";
static const char ecdsa521_name[] = "SHA256:E831gbZQ6IMe4Fr6jQVa55AcP2wjmATALfEn4GhfUuM";
static const char short_rsa[] = "ssh-rsa "
                                "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDoZG4GJ/zJewySaiWauhk/ddZkhR/"
                                "HxgWX4rgCU0NEzBrbCk6wXqBlahFIS6B71IvONMtoDzWtcDEGr4zRWZKIgZi0xUqihmFlg2/"
                                "lXXrzg/HtlJQGpaIZNrHsyPTAyyv1GiydU+5THKbzrafbNuBPcWm2FSUFlLPI/mkIA3EJNw==";

/* ---- words ---- */

static void names_may_be_anything_printable_without_a_slash(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    static const char *const good[] = {"c0042", "광주<&\"'AI", "a b", "=1+1", "한", "x;y", "..."};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (tenant_set_name(&t, good[i], &e) < 0) fail_msg("%s: %s", good[i], e.what);
        assert_string_equal(t.row.name, good[i]);
    }
    static const char *const bad[] = {"",
                                      "-x",
                                      "a/b",
                                      ".",
                                      "..",
                                      " a",
                                      "a ",
                                      "a\tb",
                                      "a\nb",
                                      "\xff\xfe",
                                      "a\x7f",
                                      "\xed\xa0\x80",
                                      "\xe1\x84\x80\xe1\x85\xaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct err){0};
        assert_int_equal(tenant_set_name(&t, bad[i], &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        assert_string_equal(t.row.name, "...");
    }
}

static void a_name_has_at_most_64_bytes(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    char name[67];
    memset(name, 'a', sizeof name);
    name[64] = '\0';
    assert_int_equal(tenant_set_name(&t, name, &e), 0);
    name[64] = 'a', name[65] = '\0';
    assert_int_equal(tenant_set_name(&t, name, &e), -1);
}

static void a_korean_number_has_one_spelling(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    static const char *const same[] = {"1234567890", "123-45-67890", " 123 45 67890 ", "12-345-67890"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(tenant_set_registration(&t, same[i], &e), 0);
        assert_string_equal(t.row.registration, "123-45-67890");
    }
}

static void a_foreign_number_is_text_and_digits_alone_must_be_ten(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    assert_int_equal(tenant_set_registration(&t, "jp  7010001008844 ", &e), 0);
    assert_string_equal(t.row.registration, "JP 7010001008844");
    static const char *const bad[] = {"123456789", "12345678901", "800101-1234567", "", "---",
                                      "1\n2",      "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct err){0};
        assert_int_equal(tenant_set_registration(&t, bad[i], &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
    }
}

static void attributes_are_kept_by_name_and_taken_away(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    assert_int_equal(tenant_set_attr(&t, "seat", "gwangju", &e), 0);
    assert_int_equal(tenant_set_attr(&t, "ai", "true", &e), 0);
    assert_int_equal(tenant_set_attr(&t, "seat", "moving", &e), 0);
    assert_int_equal(t.n_attrs, 2);
    assert_string_equal(t.attrs[0].name, "ai");
    assert_string_equal(tenant_attr(&t, "seat"), "moving");
    assert_int_equal(tenant_set_attr(&t, "ai", "", &e), 0);
    assert_null(tenant_attr(&t, "ai"));
    assert_int_equal(tenant_set_attr(&t, "Seat", "x", &e), -1);
    assert_int_equal(tenant_set_attr(&t, "seat=", "x", &e), -1);
    assert_int_equal(tenant_set_attr(&t, "seat", "a\nb", &e), -1);
    assert_string_equal(tenant_attr(&t, "seat"), "moving");
    tenant_free(&t);
}

static void expect_contact(const char *words, const char *shown) {
    struct err e = {0};
    struct tenant t = {0};
    scoped_text struct text got = {0};
    if (tenant_set_contact(&t, words, &e) < 0) fail_msg("%s: %s", words, e.what);
    tenant_contact_text(&t.contacts[0], &got);
    assert_string_equal(got.s, shown);
    tenant_free(&t);
}

static void contacts_are_read_and_printed_the_same(void **state) {
    (void)state;
    expect_contact("Kim <kim@x.kr> +82 62 123 4567", "Kim <kim@x.kr> +82 62 123 4567");
    expect_contact("  김민수   <kim@x.kr>", "김민수 <kim@x.kr>");
    expect_contact("kim@x.kr", "kim@x.kr");
    expect_contact("<kim@x.kr>", "kim@x.kr");
    expect_contact("<kim@x.kr> 02-123", "<kim@x.kr> 02-123");
    expect_contact("A <b> & \"c\" <k@x> 010", "A <b> & \"c\" <k@x> 010");
    static const char *const bad[] = {"Kim",         "Kim +82 62 1", "Kim <kim>",
                                      "Kim <a@b@c>", "a@b; c@d",     "Kim <k@x> phone",
                                      "Kim <k@x> 1", "K\n <k@x>",    "Kim <k @x.kr>"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        struct tenant t = {0};
        if (tenant_set_contact(&t, bad[i], &e) == 0) fail_msg("taken: %s", bad[i]);
        assert_int_equal(t.n_contacts, 0);
        tenant_free(&t);
    }
}

static void a_contact_is_known_by_its_address(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    assert_int_equal(tenant_set_contact(&t, "Kim <kim@x.kr>", &e), 0);
    assert_int_equal(tenant_set_contact(&t, "Kim Minsu <KIM@x.kr> 02-123", &e), 0);
    assert_int_equal(t.n_contacts, 1);
    assert_string_equal(t.contacts[0].name, "Kim Minsu");
    assert_int_equal(tenant_drop_contact(&t, "lee@x.kr", &e), -1);
    assert_int_equal(tenant_drop_contact(&t, "kim@X.kr", &e), 0);
    assert_int_equal(t.n_contacts, 0);
    tenant_free(&t);
}

/* ---- keys ---- */

static void expect_key(const char *line, const char *comment, const char *name) {
    struct err e = {0};
    struct tenant_key key = {0};
    char given[1024];
    text_format(given, sizeof given, "  %s%s%s \r\n", line, *comment ? "\t" : "", comment);
    if (tenant_key_parse(given, &key, &e) < 0) fail_msg("%s", e.what);
    text_format(given, sizeof given, "%s%s%s", line, *comment ? " " : "", comment);
    assert_string_equal(key.line, given);
    assert_string_equal(key.fingerprint, name);
    free(key.line);
}

static void public_keys_get_the_fingerprint_of_ssh_keygen(void **state) {
    (void)state;
    expect_key(ed25519, "kim@host", ed25519_name);
    expect_key(rsa, "", rsa_name);
    expect_key(ecdsa, "김 민수", ecdsa_name);
    expect_key(ecdsa521, "a b c", ecdsa521_name);
}

static const char *refusal(const char *line) {
    static struct err e;
    struct tenant_key key = {0};
    e = (struct err){0};
    if (tenant_key_parse(line, &key, &e) == 0) fail_msg("taken: %s", line);
    assert_int_equal(e.code, ERR_USAGE);
    return e.what;
}

static void private_keys_are_refused_and_never_repeated(void **state) {
    (void)state;
    static const char *const lines[] = {"-----BEGIN OPENSSH PRIVATE KEY-----",
                                        "-----BEGIN RSA PRIVATE KEY----- MIIB",
                                        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2g",
                                        "PuTTY-User-Key-File-3: ssh-ed25519"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_string_equal(refusal(lines[i]), "this is a private key; it was not stored");
}

static void damaged_keys_and_other_types_are_refused(void **state) {
    (void)state;
    char line[1024];
    assert_string_equal(refusal("ssh-dss AAAAB3NzaC1kc3M="), "SSH keys of type 'ssh-dss' are not taken");
    assert_string_equal(refusal("command=\"x\" ssh-rsa AAAA"), "this is no SSH public key");
    assert_string_equal(refusal(""), "this is no SSH public key");
    assert_non_null(strstr(refusal(short_rsa), "has 1024 bits"));
    assert_non_null(strstr(refusal("ssh-ed25519"), "damaged"));
    assert_non_null(strstr(refusal("ssh-ed25519 AAAA"), "damaged"));
    /* cut by one letter, one letter changed to none of base64, a type that its body does not have */
    text_format(line, sizeof line, "%.*s", (int)strlen(ed25519) - 1, ed25519);
    assert_non_null(strstr(refusal(line), "base64"));
    text_format(line, sizeof line, "%.*s*%s", 30, ed25519, ed25519 + 31);
    assert_non_null(strstr(refusal(line), "base64"));
    text_format(line, sizeof line, "ssh-rsa %s", strchr(ed25519, ' ') + 1);
    assert_non_null(strstr(refusal(line), "no ssh-rsa key"));
    text_format(line, sizeof line, "%sAAAA", ed25519); /* four bytes too many */
    assert_non_null(strstr(refusal(line), "damaged"));
    text_format(line, sizeof line, "%s a;b", ed25519);
    assert_non_null(strstr(refusal(line), "comment"));
}

static void a_key_is_taken_once(void **state) {
    (void)state;
    struct err e = {0};
    struct tenant t = {0};
    char line[1024];
    assert_int_equal(tenant_set_key(&t, ed25519, &e), 0);
    text_format(line, sizeof line, "%s other comment", ed25519);
    assert_int_equal(tenant_set_key(&t, line, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    e = (struct err){0};
    assert_int_equal(tenant_drop_key(&t, "SHA256:x", &e), -1);
    assert_int_equal(tenant_drop_key(&t, ed25519_name, &e), 0);
    assert_int_equal(t.n_keys, 0);
    tenant_free(&t);
}

/* ---- the store ---- */

struct place {
    char folder[32], path[64];
    struct store *store;
};

static int open_place(void **state) {
    struct err e = {0};
    struct place *p = mem_alloc(sizeof *p);
    text_format(p->folder, sizeof p->folder, "/tmp/allot-unit.XXXXXX");
    if (!mkdtemp(p->folder)) return -1;
    text_format(p->path, sizeof p->path, "%s/s.db", p->folder);
    if (store_create(p->path, true, instant(1000), &e) < 0) return -1;
    p->store = store_open(p->path, STORE_WRITE, &e);
    *state = p;
    return p->store ? 0 : -1;
}

static int close_place(void **state) {
    struct place *p = *state;
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    struct err e = {0};
    int rc = ledger_verify(p->store, NULL, &e); /* whatever a test did, the chains are whole */
    store_close(p->store);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[80];
        text_format(name, sizeof name, "%s%s", p->path, ends[i]);
        unlink(name);
    }
    rmdir(p->folder);
    free(p);
    return rc;
}

struct saved {
    const struct tenant *before;
    struct tenant *after;
    bool changed;
};

static int save_body(struct store *s, void *arg, struct err *e) {
    struct saved *saved = arg;
    struct book b;
    if (book_open(&b, s, 0, "admin kim", instant(2000), e) < 0) return -1;
    if (tenant_save(&b, saved->before, saved->after, NULL, &saved->changed, e) < 0) return -1;
    return book_close(&b, e);
}

static int save(struct store *s, const struct tenant *before, struct tenant *after, bool *changed,
                struct err *e) {
    struct saved saved = {before, after, false};
    int rc = store_write(s, save_body, &saved, e);
    *changed = saved.changed;
    return rc;
}

static void describe(struct tenant *t, const char *name, const char *organisation, const char *number) {
    struct err e = {0};
    *t = (struct tenant){0};
    int rc = tenant_set_name(t, name, &e) + tenant_set_organisation(t, organisation, &e) +
             tenant_set_registration(t, number, &e) + tenant_set_language(t, "ko", &e);
    if (rc != 0) fail_msg("%s", e.what);
}

static int64_t count(struct store *s, const char *kind) {
    struct err e = {0};
    int64_t n = -1;
    assert_int_equal(sql_int(s, &e, &n, "SELECT count(*) FROM entry WHERE kind = $1", "s", kind), 1);
    return n;
}

static void what_is_saved_is_loaded_and_saving_it_again_changes_nothing(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant t, loaded;
    bool changed;
    describe(&t, "광주<&\"'AI", "(주)광주", "1234567890");
    assert_int_equal(tenant_set_attr(&t, "seat", "gwangju", &e), 0);
    assert_int_equal(tenant_set_contact(&t, "Kim <kim@x.kr> 02-123", &e), 0);
    assert_int_equal(tenant_set_key(&t, ed25519, &e), 0);
    assert_int_equal(save(p->store, NULL, &t, &changed, &e), 0);
    assert_true(changed);
    assert_int_equal(tenant_load(p->store, t.row.id, &loaded, &e), 0);
    json_t *diff = tenant_diff(&t, &loaded, true);
    assert_int_equal(json_array_size(diff), 0);
    json_decref(diff);
    assert_int_equal(loaded.row.made_at.s, 2000);
    assert_int_equal(save(p->store, &loaded, &t, &changed, &e), 0);
    assert_false(changed);
    assert_int_equal(count(p->store, "tenant.add"), 1);
    assert_int_equal(count(p->store, "tenant.personal"), 1);
    assert_int_equal(count(p->store, "tenant.set"), 0);
    tenant_free(&t);
    tenant_free(&loaded);
}

static void personal_words_are_not_in_the_chain(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant t;
    bool changed;
    int64_t n = -1;
    describe(&t, "a", "A", "1234567890");
    assert_int_equal(tenant_set_contact(&t, "Kim <kim@x.kr> 02-123", &e), 0);
    assert_int_equal(tenant_set_key(&t, ed25519, &e), 0);
    assert_int_equal(save(p->store, NULL, &t, &changed, &e), 0);
    assert_int_equal(
        sql_int(p->store, &e, &n,
                "SELECT count(*) FROM entry_detail WHERE detail LIKE '%Kim%' OR detail LIKE '%kim@%' "
                "OR detail LIKE '%02-123%' OR detail LIKE '%AAAAC3Nz%'",
                ""),
        1);
    assert_int_equal(n, 0);
    tenant_free(&t);
}

static void one_registration_number_has_one_organisation_name(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant a, b, c;
    bool changed;
    describe(&a, "a", "A", "1234567890");
    describe(&b, "b", "A", "123-45-67890");
    describe(&c, "c", "C", "123-45-67890");
    assert_int_equal(save(p->store, NULL, &a, &changed, &e), 0);
    assert_int_equal(save(p->store, NULL, &b, &changed, &e), 0);
    assert_int_equal(a.row.organisation, b.row.organisation);
    assert_int_equal(save(p->store, NULL, &c, &changed, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.what, "registration number 123-45-67890 belongs to 'A', not to 'C'");
}

static void a_key_leads_to_one_tenant(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant a, b;
    bool changed;
    describe(&a, "a", "A", "1234567890");
    describe(&b, "b", "B", "1234567891");
    assert_int_equal(tenant_set_key(&a, ed25519, &e), 0);
    assert_int_equal(tenant_set_key(&b, ed25519, &e), 0);
    assert_int_equal(save(p->store, NULL, &a, &changed, &e), 0);
    assert_int_equal(save(p->store, NULL, &b, &changed, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    struct tenant_row row;
    struct err none = {0};
    assert_int_equal(tenant_find(p->store, "b", &row, &none), -1); /* all of it was rolled back */
    assert_int_equal(none.code, ERR_NOT_FOUND);
    tenant_free(&a);
    tenant_free(&b);
}

static void a_miss_names_the_nearest(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant a;
    struct tenant_row row;
    bool changed;
    describe(&a, "c0042", "A", "1234567890");
    assert_int_equal(save(p->store, NULL, &a, &changed, &e), 0);
    assert_int_equal(tenant_find(p->store, "c0043", &row, &e), -1);
    assert_string_equal(e.hint, "did you mean 'c0042'?");
}

/* ---- states ---- */

struct turn {
    struct tenant_row row;
    enum tenant_state to;
    bool forget;
};

static int turn_body(struct store *s, void *arg, struct err *e) {
    struct turn *turn = arg;
    struct book b;
    if (book_open(&b, s, 0, "admin kim", instant(3000), e) < 0) return -1;
    int rc = turn->forget ? tenant_forget(&b, &turn->row, e)
                          : tenant_set_state(&b, &turn->row, turn->to, "because", e);
    return rc < 0 ? -1 : book_close(&b, e);
}

static enum err_code turn_to(struct store *s, const char *name, enum tenant_state to, bool forget) {
    struct err e = {0};
    struct turn turn = {.to = to, .forget = forget};
    assert_int_equal(tenant_find(s, name, &turn.row, &e), 0);
    return store_write(s, turn_body, &turn, &e) < 0 ? e.code : ERR_NONE;
}

static void a_tenant_is_suspended_resumed_closed_and_forgotten_in_that_order_only(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant t, after;
    bool changed;
    int64_t n = -1;
    describe(&t, "a", "A", "1234567890");
    assert_int_equal(tenant_set_contact(&t, "Kim <kim@x.kr> 02-123", &e), 0);
    assert_int_equal(save(p->store, NULL, &t, &changed, &e), 0);
    assert_int_equal(turn_to(p->store, "a", TENANT_ACTIVE, false), ERR_CONFLICT);
    assert_int_equal(turn_to(p->store, "a", TENANT_SUSPENDED, false), ERR_NONE);
    assert_int_equal(turn_to(p->store, "a", TENANT_SUSPENDED, false), ERR_CONFLICT);
    assert_int_equal(turn_to(p->store, "a", TENANT_ACTIVE, false), ERR_NONE);
    assert_int_equal(turn_to(p->store, "a", 0, true), ERR_CONFLICT); /* forgotten only when closed */
    assert_int_equal(turn_to(p->store, "a", TENANT_CLOSED, false), ERR_NONE);
    assert_int_equal(turn_to(p->store, "a", TENANT_ACTIVE, false), ERR_CONFLICT);
    tenant_free(&t);
    assert_int_equal(tenant_load(p->store, 1, &t, &e), 0);
    tenant_copy(&t, &after);
    assert_int_equal(tenant_set_attr(&after, "seat", "x", &e), 0);
    assert_int_equal(save(p->store, &t, &after, &changed, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(turn_to(p->store, "a", 0, true), ERR_NONE);
    struct err none = {0};
    assert_int_equal(
        sql_int(p->store, &none, &n,
                "SELECT (SELECT count(*) FROM tenant_contact) + (SELECT count(*) FROM entry e JOIN "
                "entry_detail d ON d.seq = e.seq WHERE e.kind = 'tenant.personal')",
                ""),
        1);
    assert_int_equal(n, 0);
    tenant_free(&t);
    tenant_free(&after);
}

/* ---- files ---- */

static int import_body(struct store *s, void *arg, struct err *e) {
    struct tenant_import *import = arg;
    struct book b;
    if (book_open(&b, s, 0, "admin kim", instant(2000), e) < 0) return -1;
    return tenant_import(&b, import, e) < 0 ? -1 : book_close(&b, e);
}

/* "3 added, 0 changed, 0 unchanged", or the message. */
static const char *import(struct store *s, const char *file) {
    static char said[1600];
    struct err e = {0};
    struct tenant_wishes wishes = {0};
    struct tenant_import in = {.wishes = &wishes, .with_changes = true};
    int rc = tenant_wishes_read(file, strlen(file), "t", &wishes, &e);
    if (rc == 0) rc = store_write(s, import_body, &in, &e);
    if (rc == 0)
        text_format(said, sizeof said, "%zu added, %zu changed, %zu unchanged", in.added, in.changed,
                    in.unchanged);
    else
        text_format(said, sizeof said, "%s", e.what);
    json_decref(in.rows);
    tenant_wishes_free(&wishes);
    return said;
}

static char *export(struct store *s, bool is_json) {
    struct err e = {0};
    struct tenant_list list;
    if (tenant_list_load(s, &list, &e) < 0) fail_msg("%s", e.what);
    char *text = is_json ? tenant_export_json(&list) : tenant_export_csv(&list);
    tenant_list_free(&list);
    return text;
}

static void a_file_is_imported_once_and_comes_back_as_it_was(void **state) {
    struct place *p = *state;
    scoped_text struct text file = {0};
    text_add(&file,
             "name,organisation,registration,language,contact,keys,attr:ai,attr:seat\r\n"
             "=c2,\"(주) \"\"둘\"\", 광주\",123-45-67890,en,\"Kim <kim@x.kr> 02-123; <lee@x.kr> "
             "02-124\",\"%s a; %s "
             "b\",true,\r\n"
             "c1,하나,1234567891,,,,,gwangju\r\n",
             ed25519, rsa);
    assert_string_equal(import(p->store, file.s), "2 added, 0 changed, 0 unchanged");
    assert_string_equal(import(p->store, file.s), "0 added, 0 changed, 2 unchanged");
    for (int is_json = 0; is_json < 2; is_json++) {
        scoped_free char *first = export(p->store, is_json);
        assert_string_equal(import(p->store, first), "0 added, 0 changed, 2 unchanged");
        void *other = NULL;
        assert_int_equal(open_place(&other), 0);
        struct place *q = other;
        assert_string_equal(import(q->store, first), "2 added, 0 changed, 0 unchanged");
        scoped_free char *second = export(q->store, is_json);
        assert_string_equal(first, second);
        assert_int_equal(close_place(&other), 0);
    }
}

static void a_file_says_what_it_speaks_of_and_no_more(void **state) {
    struct place *p = *state;
    struct err e = {0};
    struct tenant t = {0};
    assert_string_equal(import(p->store, "name,organisation,registration,contact,attr:ai,attr:seat\n"
                                         "a,A,1234567890,k@x.kr,true,gwangju\n"),
                        "1 added, 0 changed, 0 unchanged");
    assert_string_equal(import(p->store, "name,attr:seat\na,\n"), "0 added, 1 changed, 0 unchanged");
    assert_int_equal(tenant_load(p->store, 1, &t, &e), 0);
    assert_string_equal(tenant_attr(&t, "ai"), "true");
    assert_null(tenant_attr(&t, "seat"));
    assert_int_equal(t.n_contacts, 1);
    tenant_free(&t);
    assert_string_equal(
        import(p->store, "[{\"name\": \"a\", \"contacts\": [], \"attributes\": {\"kind\": \"sme\"}}]"),
        "0 added, 1 changed, 0 unchanged");
    assert_int_equal(tenant_load(p->store, 1, &t, &e), 0);
    assert_null(tenant_attr(&t, "ai"));
    assert_string_equal(tenant_attr(&t, "kind"), "sme");
    assert_int_equal(t.n_contacts, 0);
    tenant_free(&t);
}

static void a_wrong_row_names_its_place_and_nothing_is_imported(void **state) {
    struct place *p = *state;
    struct err e = {0};
    int64_t n = -1;
    static const char *const cases[][2] = {
        {"name,organisation,registration\na,A,1234567890\nb,B,12\n",
         "t:3: registration number '12': a business number has 10 digits, not 2"},
        {"name,organisation,registration\na,A,1234567890\na,A,1234567890\n",
         "t:3: the tenant 'a' stands in line 2 already"},
        {"name,organisation,registration\na,A,1234567890\nb,B,1234567890\n",
         "t:3: registration number 123-45-67890 belongs to 'A', not to 'B'"},
        {"name\na\n", "t:2: 'a' is new: its organisation and registration are needed"},
        {"organisation\na\n", "t:1: the column 'name' is missing"},
        {"name,organsation\na,b\n", "t:1: unknown column 'organsation'"},
        {"name,attr:Seat\na,b\n", "t:1: 'Seat' is no name of an attribute: a-z, 0-9 and '_', a letter first"},
        {"name,organisation,registration\na,A\n", "t:2: 2 fields, the header has 3"},
        {"name,organisation,registration,contact\na,A,1234567890,k@x; K@X\n",
         "t:2: the contact 'K@X' stands twice"},
        {"[{\"name\": \"a\", \"organisation\": \"A\", \"registration\": \"1234567890\"}, {\"name\": \"b\"}]",
         "t: [1]: 'b' is new: its organisation and registration are needed"},
        {"[{\"name\": \"a\", \"keys\": [\"x\"]}]", "t: [0].keys[0]: SSH keys of type 'x' are not taken"},
        {"[{\"name\": \"a\", \"organization\": \"A\"}]", NULL},
        {"{\"name\": \"a\"}", "t: must be an array of tenants"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = import(p->store, cases[i][0]);
        if (cases[i][1])
            assert_string_equal(said, cases[i][1]);
        else
            assert_null(strstr(said, "added"));
        assert_int_equal(sql_int(p->store, &e, &n, "SELECT count(*) FROM tenant", ""), 1);
        assert_int_equal(n, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_may_be_anything_printable_without_a_slash),
        cmocka_unit_test(a_name_has_at_most_64_bytes),
        cmocka_unit_test(a_korean_number_has_one_spelling),
        cmocka_unit_test(a_foreign_number_is_text_and_digits_alone_must_be_ten),
        cmocka_unit_test(attributes_are_kept_by_name_and_taken_away),
        cmocka_unit_test(contacts_are_read_and_printed_the_same),
        cmocka_unit_test(a_contact_is_known_by_its_address),
        cmocka_unit_test(public_keys_get_the_fingerprint_of_ssh_keygen),
        cmocka_unit_test(private_keys_are_refused_and_never_repeated),
        cmocka_unit_test(damaged_keys_and_other_types_are_refused),
        cmocka_unit_test(a_key_is_taken_once),
#define WITH_STORE(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
        WITH_STORE(what_is_saved_is_loaded_and_saving_it_again_changes_nothing),
        WITH_STORE(personal_words_are_not_in_the_chain),
        WITH_STORE(one_registration_number_has_one_organisation_name),
        WITH_STORE(a_key_leads_to_one_tenant),
        WITH_STORE(a_miss_names_the_nearest),
        WITH_STORE(a_tenant_is_suspended_resumed_closed_and_forgotten_in_that_order_only),
        WITH_STORE(a_file_is_imported_once_and_comes_back_as_it_was),
        WITH_STORE(a_file_says_what_it_speaks_of_and_no_more),
        WITH_STORE(a_wrong_row_names_its_place_and_nothing_is_imported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
