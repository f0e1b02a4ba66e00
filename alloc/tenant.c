/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/tenant.h"

#include "alloc/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const tenant_state_words[] = {"active", "suspended", "closed", NULL};

/* ---- memory ---- */

static void contact_free(struct tenant_contact *c) {
    free(c->name);
    free(c->email);
    free(c->phone);
}

void tenant_drop_contacts(struct tenant *t) {
    for (size_t i = 0; i < t->n_contacts; i++) contact_free(&t->contacts[i]);
    t->n_contacts = 0;
}

void tenant_drop_keys(struct tenant *t) {
    for (size_t i = 0; i < t->n_keys; i++) free(t->keys[i].line);
    t->n_keys = 0;
}

void tenant_free(struct tenant *t) {
    for (size_t i = 0; i < t->n_attrs; i++) {
        free(t->attrs[i].name);
        free(t->attrs[i].value);
    }
    tenant_drop_contacts(t);
    tenant_drop_keys(t);
    free(t->attrs);
    free(t->contacts);
    free(t->keys);
    *t = (struct tenant){0};
}

void tenant_copy(const struct tenant *from, struct tenant *to) {
    *to = (struct tenant){.row = from->row};
    to->attrs = mem_grow(NULL, &to->attrs_room, from->n_attrs, sizeof *to->attrs);
    for (; to->n_attrs < from->n_attrs; to->n_attrs++) {
        const struct tenant_attr *a = &from->attrs[to->n_attrs];
        to->attrs[to->n_attrs] = (struct tenant_attr){mem_copy(a->name), mem_copy(a->value)};
    }
    to->contacts = mem_grow(NULL, &to->contacts_room, from->n_contacts, sizeof *to->contacts);
    for (; to->n_contacts < from->n_contacts; to->n_contacts++) {
        const struct tenant_contact *c = &from->contacts[to->n_contacts];
        to->contacts[to->n_contacts] =
            (struct tenant_contact){mem_copy(c->name), mem_copy(c->email), mem_copy(c->phone)};
    }
    to->keys = mem_grow(NULL, &to->keys_room, from->n_keys, sizeof *to->keys);
    for (; to->n_keys < from->n_keys; to->n_keys++) {
        to->keys[to->n_keys] = from->keys[to->n_keys];
        to->keys[to->n_keys].line = mem_copy(from->keys[to->n_keys].line);
    }
}

/* ---- words ---- */

/* Hangul in separate letters (NFD, as some systems write file names) looks the same and is another text. */
static bool has_loose_jamo(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (p[0] == 0xe1 && p[1] >= 0x84 && p[1] <= 0x87) return true; /* U+1100 to U+11FF */
    return false;
}

static int text_check(const char *what, const char *text, size_t most, struct err *e) {
    size_t length = strlen(text);
    if (length == 0) return err_set(e, ERR_USAGE, "%s must not be empty", what);
    if (length > most) return err_set(e, ERR_USAGE, "%s is longer than %zu bytes", what, most);
    if (!text_is_printable(text))
        return err_set(e, ERR_USAGE, "%s must be printable UTF-8 without control characters", what);
    if (has_loose_jamo(text)) {
        err_set(e, ERR_USAGE, "%s has Hangul in separate letters: '%s'", what, text);
        return err_hint(e, "write it in composed form (NFC)");
    }
    if (text[0] == ' ' || text[length - 1] == ' ')
        return err_set(e, ERR_USAGE, "%s must not begin or end with a space: '%s'", what, text);
    return 0;
}

int tenant_set_name(struct tenant *t, const char *name, struct err *e) {
    if (text_check("the name of a tenant", name, TENANT_NAME_MOST, e) < 0) return -1;
    if (name[0] == '-')
        return err_set(e, ERR_USAGE, "the name of a tenant must not begin with '-': '%s'", name);
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(e, ERR_USAGE, "the name of a tenant must not hold '/', nor be '.' or '..': '%s'",
                       name);
    return text_format(t->row.name, sizeof t->row.name, "%s", name);
}

int tenant_set_organisation(struct tenant *t, const char *name, struct err *e) {
    if (text_check("the name of an organisation", name, ORGANISATION_MOST, e) < 0) return -1;
    return text_format(t->row.organisation_name, sizeof t->row.organisation_name, "%s", name);
}

/* Digits without hyphens and spaces, or 0 when there is anything else. */
static size_t digits_of(const char *text, char *out, size_t size) {
    size_t n = 0;
    for (; *text; text++) {
        if (*text == '-' || *text == ' ') continue;
        if (!isdigit((unsigned char)*text) || n + 1 >= size) return 0;
        out[n++] = *text;
    }
    out[n] = '\0';
    return n;
}

/* Capitals, single spaces: so that one number has one spelling. */
static void squeeze(const char *text, char *out) {
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ' ' && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = (char)(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
    }
    while (n > 0 && out[n - 1] == ' ') n--;
    out[n] = '\0';
}

static bool has_letter_or_digit(const char *text) {
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || (unsigned char)*text >= 0x80) return true;
    return false;
}

int tenant_set_registration(struct tenant *t, const char *number, struct err *e) {
    char text[REGISTRATION_MOST + 1], digits[REGISTRATION_MOST + 1];
    if (strlen(number) > REGISTRATION_MOST)
        return err_set(e, ERR_USAGE, "a registration number is longer than %d bytes", REGISTRATION_MOST);
    if (!text_is_printable(number))
        return err_set(e, ERR_USAGE, "a registration number must be printable UTF-8");
    squeeze(number, text);
    size_t n = digits_of(text, digits, sizeof digits);
    if (n == 10)
        return text_format(t->row.registration, sizeof t->row.registration, "%.3s-%.2s-%.5s", digits,
                           digits + 3, digits + 5);
    if (n > 0) {
        err_set(e, ERR_USAGE, "registration number '%s': a business number has 10 digits, not %zu", text, n);
        return err_hint(e,
                        n == 13 ? "13 digits are a resident or corporate number: give the business number "
                                  "(123-45-67890); put the country before a foreign one: 'JP %s'"
                                : "write it as 123-45-67890; put the country before a foreign one: 'US %s'",
                        digits);
    }
    if (!has_letter_or_digit(text))
        return err_set(e, ERR_USAGE, "the registration number is missing: '%s'", number);
    return text_format(t->row.registration, sizeof t->row.registration, "%s", text);
}

int tenant_set_language(struct tenant *t, const char *language, struct err *e) {
    if (strcmp(language, "ko") != 0 && strcmp(language, "en") != 0)
        return err_set(e, ERR_USAGE, "the language is 'ko' or 'en', not '%s'", language);
    return text_format(t->row.language, sizeof t->row.language, "%s", language);
}

/* ---- attributes: sorted by name ---- */

static size_t attr_place(const struct tenant *t, const char *name, bool *found) {
    size_t i = 0;
    int order = 1;
    while (i < t->n_attrs && (order = strcmp(t->attrs[i].name, name)) < 0) i++;
    *found = i < t->n_attrs && order == 0;
    return i;
}

const char *tenant_attr(const struct tenant *t, const char *name) {
    bool found;
    size_t i = attr_place(t, name, &found);
    return found ? t->attrs[i].value : NULL;
}

static int attr_name_check(const char *name, struct err *e) {
    size_t length = strlen(name);
    bool is_name = islower((unsigned char)name[0]) && length <= 64 &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
    if (is_name) return 0;
    return err_set(e, ERR_USAGE, "'%.80s' is no name of an attribute: a-z, 0-9 and '_', a letter first",
                   name);
}

static void attr_remove(struct tenant *t, size_t i) {
    free(t->attrs[i].name);
    free(t->attrs[i].value);
    memmove(t->attrs + i, t->attrs + i + 1, (--t->n_attrs - i) * sizeof *t->attrs);
}

int tenant_set_attr(struct tenant *t, const char *name, const char *value, struct err *e) {
    bool found;
    if (attr_name_check(name, e) < 0) return -1;
    size_t i = attr_place(t, name, &found);
    if (*value == '\0') {
        if (found) attr_remove(t, i);
        return 0;
    }
    if (text_check("the value of an attribute", value, TENANT_VALUE_MOST, e) < 0)
        return err_context(e, "%s", name);
    if (found) {
        free(t->attrs[i].value);
        t->attrs[i].value = mem_copy(value);
        return 0;
    }
    if (t->n_attrs == TENANT_ATTRS_MOST)
        return err_set(e, ERR_USAGE, "a tenant has at most %d attributes", TENANT_ATTRS_MOST);
    t->attrs = mem_grow(t->attrs, &t->attrs_room, t->n_attrs + 1, sizeof *t->attrs);
    memmove(t->attrs + i + 1, t->attrs + i, (t->n_attrs++ - i) * sizeof *t->attrs);
    t->attrs[i] = (struct tenant_attr){mem_copy(name), mem_copy(value)};
    return 0;
}

/* ---- contacts ---- */

static char *trimmed(const char *from, const char *end) {
    while (from < end && *from == ' ') from++;
    while (end > from && end[-1] == ' ') end--;
    struct text t = {0};
    text_put(&t, from, (size_t)(end - from));
    return text_take(&t);
}

/* Enough to find typing errors; whether it reaches anybody only a mail can tell. */
static bool is_email(const char *s) {
    const char *at = strchr(s, '@');
    return at && at > s && at[1] && !strchr(at + 1, '@') && strlen(s) <= 254 && !strpbrk(s, " <>;,\"\\");
}

static bool is_phone(const char *s) {
    size_t length = strlen(s), digits = 0;
    for (const char *p = s; *p; p++) digits += isdigit((unsigned char)*p) != 0;
    return length == 0 || (length <= 40 && digits >= 3 && strspn(s, "+0123456789 ()-./") == length);
}

static int contact_parse(const char *words, struct tenant_contact *out, struct err *e) {
    static const char how[] = "write it as 'Kim <kim@example.kr> +82 62 123 4567'";
    const char *end = words + strlen(words), *open = strrchr(words, '<');
    const char *close = open ? strchr(open, '>') : NULL;
    if (open && close)
        *out =
            (struct tenant_contact){trimmed(words, open), trimmed(open + 1, close), trimmed(close + 1, end)};
    else
        *out = (struct tenant_contact){mem_copy(""), trimmed(words, end), mem_copy("")};
    if (!text_is_printable(words) || strchr(words, ';') || strlen(out->name) > 100)
        err_set(e, ERR_USAGE, "a contact is printable text without ';', its name at most 100 bytes");
    else if (!is_email(out->email))
        err_set(e, ERR_USAGE, "the contact '%.200s' has no mail address", words);
    else if (!is_phone(out->phone))
        err_set(e, ERR_USAGE, "'%.80s' is no telephone number", out->phone);
    else
        return 0;
    contact_free(out);
    err_hint(e, "%s", how);
    return -1;
}

static size_t contact_place(const struct tenant *t, const char *email) {
    size_t i = 0;
    while (i < t->n_contacts && strcasecmp(t->contacts[i].email, email) != 0) i++;
    return i;
}

int tenant_set_contact(struct tenant *t, const char *words, struct err *e) {
    struct tenant_contact made;
    if (contact_parse(words, &made, e) < 0) return -1;
    size_t i = contact_place(t, made.email);
    if (i == TENANT_CONTACTS_MOST) {
        contact_free(&made);
        return err_set(e, ERR_USAGE, "a tenant has at most %d contacts", TENANT_CONTACTS_MOST);
    }
    if (i < t->n_contacts) {
        contact_free(&t->contacts[i]);
    } else {
        t->contacts = mem_grow(t->contacts, &t->contacts_room, i + 1, sizeof *t->contacts);
        t->n_contacts++;
    }
    t->contacts[i] = made;
    return 0;
}

int tenant_drop_contact(struct tenant *t, const char *email, struct err *e) {
    size_t i = contact_place(t, email);
    if (i == t->n_contacts)
        return err_set(e, ERR_NOT_FOUND, "%s has no contact with the address '%.254s'", t->row.name, email);
    contact_free(&t->contacts[i]);
    memmove(t->contacts + i, t->contacts + i + 1, (--t->n_contacts - i) * sizeof *t->contacts);
    return 0;
}

void tenant_contact_text(const struct tenant_contact *c, struct text *out) {
    if (!*c->name && !*c->phone) {
        text_add(out, "%s", c->email);
        return;
    }
    text_add(out, "%s%s<%s>%s%s", c->name, *c->name ? " " : "", c->email, *c->phone ? " " : "", c->phone);
}

/* ---- keys: sorted by fingerprint ---- */

int tenant_set_key(struct tenant *t, const char *line, struct err *e) {
    struct tenant_key made = {0};
    if (tenant_key_parse(line, &made, e) < 0) return -1;
    size_t i = 0;
    int order = 1;
    while (i < t->n_keys && (order = strcmp(t->keys[i].fingerprint, made.fingerprint)) < 0) i++;
    bool is_known = i < t->n_keys && order == 0;
    if (is_known || t->n_keys == TENANT_KEYS_MOST) {
        free(made.line);
        if (is_known) return err_set(e, ERR_CONFLICT, "the SSH key %s is there already", made.fingerprint);
        return err_set(e, ERR_USAGE, "a tenant has at most %d SSH keys", TENANT_KEYS_MOST);
    }
    t->keys = mem_grow(t->keys, &t->keys_room, t->n_keys + 1, sizeof *t->keys);
    memmove(t->keys + i + 1, t->keys + i, (t->n_keys++ - i) * sizeof *t->keys);
    t->keys[i] = made;
    return 0;
}

int tenant_drop_key(struct tenant *t, const char *fingerprint, struct err *e) {
    size_t i = 0;
    while (i < t->n_keys && strcmp(t->keys[i].fingerprint, fingerprint) != 0) i++;
    if (i == t->n_keys) {
        err_set(e, ERR_NOT_FOUND, "%s has no SSH key '%.80s'", t->row.name, fingerprint);
        return err_hint(e, "the fingerprints stand in: allot tenant show '%s'", t->row.name);
    }
    free(t->keys[i].line);
    memmove(t->keys + i, t->keys + i + 1, (--t->n_keys - i) * sizeof *t->keys);
    return 0;
}

/* ---- differences ---- */

static json_t *word_or_null(const char *word) { return word && *word ? json_string(word) : json_null(); }

static void diff_add(json_t *out, const char *field, const char *old, const char *new) {
    if (strcmp(old ? old : "", new ? new : "") == 0) return;
    json_t *change = json_object();
    json_object_set_new_nocheck(change, "field", json_string(field));
    json_object_set_new_nocheck(change, "old", word_or_null(old));
    json_object_set_new_nocheck(change, "new", word_or_null(new));
    json_array_append_new(out, change);
}

static void diff_attrs(json_t *out, const struct tenant *before, const struct tenant *after) {
    size_t i = 0, j = 0, n = before ? before->n_attrs : 0;
    while (i < n || j < after->n_attrs) {
        int order = i == n                ? 1
                    : j == after->n_attrs ? -1
                                          : strcmp(before->attrs[i].name, after->attrs[j].name);
        char field[80];
        text_format(field, sizeof field, "attr:%s",
                    order <= 0 ? before->attrs[i].name : after->attrs[j].name);
        diff_add(out, field, order <= 0 ? before->attrs[i].value : NULL,
                 order >= 0 ? after->attrs[j].value : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static char *contacts_text(const struct tenant *t) {
    struct text text = {0};
    for (size_t i = 0; t && i < t->n_contacts; i++) {
        text_add(&text, "%s", i ? "; " : "");
        tenant_contact_text(&t->contacts[i], &text);
    }
    return text_take(&text);
}

/* Fingerprint and comment: what tells keys apart for people. */
static char *keys_text(const struct tenant *t) {
    struct text text = {0};
    for (size_t i = 0; t && i < t->n_keys; i++) {
        const char *comment = strchr(strchr(t->keys[i].line, ' ') + 1, ' ');
        text_add(&text, "%s%s%s", i ? "; " : "", t->keys[i].fingerprint, comment ? comment : "");
    }
    return text_take(&text);
}

json_t *tenant_diff(const struct tenant *before, const struct tenant *after, bool personal) {
    json_t *out = json_array();
    const struct tenant_row *a = before ? &before->row : NULL, *b = &after->row;
    diff_add(out, "organisation", a ? a->organisation_name : NULL, b->organisation_name);
    diff_add(out, "registration", a ? a->registration : NULL, b->registration);
    diff_add(out, "language", a ? a->language : NULL, b->language);
    diff_attrs(out, before, after);
    if (!personal) return out;
    scoped_free char *contacts_before = contacts_text(before), *contacts_after = contacts_text(after);
    scoped_free char *keys_before = keys_text(before), *keys_after = keys_text(after);
    diff_add(out, "contact", contacts_before, contacts_after);
    diff_add(out, "keys", keys_before, keys_after);
    return out;
}
