/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy is made of, inside policies/ only. The parser builds it with names and literals as
 * written (places kept); the checker resolves names to indices and literals to typed values; after
 * that nothing changes. Everything lives in the policy's arena.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "alloc/decide.h"
#include "policies/arena.h"
#include "policies/diagnose.h"

/* Limits: a policy is a page or two; these stop a wrong file, not a right one. */
enum {
    POLICY_BYTES = 1 << 20,
    POLICY_RULES = 1000, /* of each kind */
    POLICY_ATTRS = 64,
    POLICY_TABLES = 32,
    POLICY_FLAVORS = 32,
    POLICY_VALUES = 64, /* of an enum, or in one { } of an expression */
    POLICY_DEPTH = 32,  /* nested expressions */
    POLICY_NAME = 64,   /* bytes of a name */
    POLICY_TEXT = 500,  /* bytes of a string */
    TABLE_ENTRIES = 100000,
};

struct word {
    const char *s;
    struct place place;
};

enum type { TYPE_BOOL, TYPE_ENUM, TYPE_DATE, TYPE_INT, TYPE_TEXT, TYPE_COMPUTE, TYPE_STORAGE, TYPE_UNITS };

enum subject { SUBJECT_TENANT, SUBJECT_REQUEST, SUBJECT_BUILT_IN };

/* A name that expressions may use: an attribute, or one of the built-ins, which come first. */
struct variable {
    struct word name;
    enum type type;
    enum subject of;
    bool optional;
    struct word *values; /* of an enum */
    size_t n_values;
};

enum { VAR_TENANT, VAR_ORGANISATION, VAR_COMPUTE, VAR_STORAGE, VAR_UNITS, VAR_TODAY, VARS_BUILT_IN };

enum literal_kind {
    LITERAL_NUMBER,
    LITERAL_AMOUNT,
    LITERAL_DATE,
    LITERAL_TODAY,
    LITERAL_WORD,
    LITERAL_STRING
};

/* n: count, GFLOPS, bytes, day number, days from today, index of an enum value, 0 or 1; text for TYPE_TEXT.
 */
struct literal {
    enum literal_kind kind;
    struct place place, unit_place;
    const char *text, *unit; /* as written */
    int64_t n;
    bool relative; /* a date counted from today */
};

enum op { OP_AND, OP_OR, OP_NOT, OP_IS_TRUE, OP_COMPARE, OP_IN_SET, OP_IN_TABLE, OP_UNSET };
enum compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct expr {
    enum op op;
    enum compare compare;
    struct place place;
    struct expr *left, *right; /* OP_NOT uses left */
    struct word subject;
    int variable; /* index, after checking */
    struct literal *literals;
    size_t n_literals;
    struct word table_name;
    int table;
};

struct table {
    struct word name;
    const char *from;     /* file name, or NULL when written in the policy */
    const char **entries; /* sorted by bytes, each once */
    size_t n;
};

enum effect { EFFECT_PASS, EFFECT_DENY, EFFECT_REVIEW };

struct rule {
    struct word id;
    enum effect effect;
    const char *reason, *reason_ko; /* reason_ko may be NULL */
    struct expr *when;              /* NULL: otherwise */
};

struct ceiling {
    struct word id;
    bool per_organisation;
    bool has_compute, has_storage;
    gflops_t compute;
    bytes_t storage;
    struct place compute_place, storage_place;
    struct expr *when; /* NULL: always */
};

struct lease {
    struct word id;
    bool has_until; /* ends at a date; else after term */
    span_t term, notice, grace, keep;
    instant_t until;
    int64_t renew;
    struct place term_place, notice_place, renew_place;
    struct expr *when;
};

struct flavor {
    struct word name;
    gflops_t rating;
    int64_t units;
    int64_t sizes[SIZES_MOST]; /* ascending */
    size_t n_sizes;
};

struct policy {
    struct arena arena;
    const char *file, *text; /* text: exactly as read */
    size_t length;
    const char *name;
    int64_t version;
    struct word pool, basis;
    struct flavor *flavors;
    size_t n_flavors;
    bytes_t storage;
    bool has_storage;
    struct place storage_place;
    struct variable *variables; /* built-ins first */
    size_t n_variables;
    struct table *tables;
    size_t n_tables;
    bool has_eligible;
    struct place eligible_place; /* the words "set eligible" */
    struct rule *rules;
    size_t n_rules;
    struct ceiling *ceilings;
    size_t n_ceilings;
    struct lease *leases;
    size_t n_leases;
    int64_t expect; /* tenants, for the ratio of ceilings to pool */
    bool has_expect;
    struct place expect_place;
};

struct policy_source;

/* Fills policy from its text. Syntax errors are collected; false when there was any. *declared is false
   when a declaration was lost to an error, so that unknown names mean nothing. */
bool parse_policy(struct policy *policy, const struct policy_source *source, struct diagnostics *d,
                  bool *declared);
/* Resolves names and types; then, unless `partly`, checks the policy as a whole. */
void check_names(struct policy *policy, struct diagnostics *d);
void check_whole(const struct policy *policy, struct diagnostics *d);
/* Finds rules that can never decide and requests that would be held, by trying every profile. */
void check_profiles(const struct policy *policy, struct diagnostics *d);

const char *type_word(enum type t); /* "compute (GF TF PF EF)" */
/* The value of an attribute as a tenant or a request states it. 0, or -1 with what is wrong. */
int variable_read(const struct variable *v, const char *text, int64_t *n, struct err *e);
int64_t day_number(instant_t t); /* the civil day (UTC+9) on which t falls, counted from 1970-01-01 */
bool table_has(const struct table *table, const char *entry);
