/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants: the projects of an organisation, with their attributes, contacts and SSH public keys.
 *
 * A struct tenant is the whole description in memory; it is edited with the functions below, which
 * check every word, and written by tenant_save(), which stores the differences to what stood and
 * notes them in the ledger. Adding, setting and importing are all this one way.
 *
 * Contacts and keys are personal data: the chain holds a salted digest of them only (note
 * "tenant.personal"), the words stand in side tables. tenant_forget() removes both words and salt.
 *
 * Notes written (pool 0, the tenant's chain): tenant.add, tenant.set, tenant.personal, tenant.suspend,
 * tenant.resume, tenant.close, tenant.forget, organisation.rename.
 */
#pragma once
#include "alloc/ledger.h"
#include "alloc/text.h"

enum {
    TENANT_NAME_MOST = 64, /* bytes */
    ORGANISATION_MOST = 200,
    REGISTRATION_MOST = 64,
    TENANT_ATTRS_MOST = 64,
    TENANT_VALUE_MOST = 500,
    TENANT_CONTACTS_MOST = 16,
    TENANT_KEYS_MOST = 64,
};

enum tenant_state { TENANT_ACTIVE, TENANT_SUSPENDED, TENANT_CLOSED, TENANT_STATES };
extern const char *const tenant_state_words[]; /* "active" "suspended" "closed", then NULL */

/* What other modules need to know about a tenant. Plain: nothing to free. */
struct tenant_row {
    int64_t id, organisation;
    enum tenant_state state;
    char name[TENANT_NAME_MOST + 1];
    char language[3]; /* "ko" or "en" */
    char registration[REGISTRATION_MOST + 1];
    char organisation_name[ORGANISATION_MOST + 1];
    instant_t made_at;
};

/* ERR_NOT_FOUND names the nearest tenant: for operators, never for a tenant's own face. */
int tenant_find(struct store *s, const char *name, struct tenant_row *out, struct err *e);
int tenant_get(struct store *s, int64_t id, struct tenant_row *out, struct err *e);

struct tenant_attr {
    char *name, *value;
};
struct tenant_contact {
    char *name, *email, *phone; /* "" where not given; the email is always there */
};
struct tenant_key {
    char *line;           /* "ssh-ed25519 AAAA... comment" */
    char fingerprint[52]; /* "SHA256:..." as ssh-keygen -l prints it */
};

struct tenant {
    struct tenant_row row;
    struct tenant_attr *attrs; /* by name */
    size_t n_attrs, attrs_room;
    struct tenant_contact *contacts; /* in the order given */
    size_t n_contacts, contacts_room;
    struct tenant_key *keys; /* by fingerprint */
    size_t n_keys, keys_room;
};

void tenant_free(struct tenant *t);
void tenant_copy(const struct tenant *from, struct tenant *to);
const char *tenant_attr(const struct tenant *t, const char *name); /* NULL: not set */

/* Editing in memory. ERR_USAGE for words that are wrong; nothing changed then. */
int tenant_set_name(struct tenant *t, const char *name, struct err *e);
int tenant_set_organisation(struct tenant *t, const char *name, struct err *e);
/* Ten digits are a Korean business number, stored as 123-45-67890; anything that is not digits alone
   is a foreign number, stored in capitals with single spaces. */
int tenant_set_registration(struct tenant *t, const char *number, struct err *e);
int tenant_set_language(struct tenant *t, const char *language, struct err *e);
int tenant_set_attr(struct tenant *t, const char *name, const char *value, struct err *e); /* "": unset */
/* "Kim <kim@x.kr> +82 62 123 4567"; name and phone may be left out. Replaces the one of that address. */
int tenant_set_contact(struct tenant *t, const char *words, struct err *e);
int tenant_drop_contact(struct tenant *t, const char *email, struct err *e);
/* One line of a .pub file. A private key is refused and never repeated in the message. */
int tenant_set_key(struct tenant *t, const char *line, struct err *e);
int tenant_drop_key(struct tenant *t, const char *fingerprint, struct err *e);
void tenant_drop_contacts(struct tenant *t);
void tenant_drop_keys(struct tenant *t);
void tenant_contact_text(const struct tenant_contact *contact, struct text *out);

/* alloc/tenant_key.c */
int tenant_key_parse(const char *line, struct tenant_key *out, struct err *e); /* out->line is owned */

/* Says whether the active policies take this value; NULL: taken as text, checked when a policy reads it. */
struct tenant_checker {
    int (*check)(void *arg, const char *name, const char *value, struct err *e);
    void *arg;
};

/* The differences from `before` (NULL: nothing stood) to `after`, as a JSON array of {"field", "old", "new"}
   with null for what is not there. personal: contacts and keys too. The caller owns it. */
json_t *tenant_diff(const struct tenant *before, const struct tenant *after, bool personal);

/* alloc/tenant_store.c */
int tenant_load(struct store *s, int64_t id, struct tenant *out, struct err *e); /* out: free it always */
/* Writes what differs and notes it; before NULL: adds, after->row.id is set. *changed (may be NULL): whether
   anything differed. ERR_CONFLICT: name taken, closed, registration of another organisation name, a key
   that another tenant has. */
int tenant_save(struct book *b, const struct tenant *before, struct tenant *after,
                const struct tenant_checker *checker, bool *changed, struct err *e);
/* The organisation of this tenant gets another name; every tenant of it is concerned. */
int tenant_rename_organisation(struct book *b, const struct tenant_row *row, const char *name, struct err *e);
/* Suspended: nothing new is granted. Closed: for ever, refused while grants live or requests wait. */
int tenant_set_state(struct book *b, struct tenant_row *row, enum tenant_state to, const char *reason,
                     struct err *e);
/* Blanks contacts, keys and what could prove them of a closed tenant; the ledger stays. */
int tenant_forget(struct book *b, const struct tenant_row *row, struct err *e);

/* All tenants, by name, with what belongs to them. */
struct tenant_list {
    struct tenant *of;
    size_t n, room;
};
int tenant_list_load(struct store *s, struct tenant_list *out, struct err *e); /* free it always */
void tenant_list_free(struct tenant_list *list);
