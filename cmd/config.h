/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allot.conf: settings of the program (not of pools or policies: those stand in the store). YAML,
 * strict: an unknown key is an error. Without a file everything has its default. man/allot.conf.5 is
 * the reference.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/err.h"
#include "alloc/log.h"

#include <stddef.h>

struct config_names {
    char **names;
    size_t n;
};

/* Who has a role: OS users, and members of OS groups. */
struct config_role {
    struct config_names users, groups;
};

struct config {
    char *path;  /* the file read; NULL: there is none */
    char *store; /* store:; NULL: not set */
    char *lang;  /* lang: "en" or "ko"; NULL: not set */
    struct config_role admins, operators, auditors;
    struct config_names notify; /* argv of the command that `notify` runs; n 0: none */
    char *audit_key;            /* PEM file with the Ed25519 key that signs heads; NULL: none */
    char *head_file;            /* `tick` appends each signed head here; NULL: not */
    bool head_syslog;           /* ... and sends it to syslog */
    span_t deadline;            /* of one call to a backend, per host */
    bool has_release_most;      /* tick.releases given */
    int64_t release_most;       /* `tick` refuses to release more in one run without --confirm */
    /* `status --check`: a job without a good run for longer is stale */
    span_t check_tick, check_reconcile, check_notify;
    int64_t check_projects; /* fewer that are left is a trouble */
    enum log_level log_level;
    char *log_file; /* NULL: stderr */
};

/* path: --config; NULL: $ALLOT_CONFIG, ~/.config/allot/allot.conf, /etc/allot/allot.conf, the first that
   is there. A file that was named must be there. NULL on failure; config_free() it. */
struct config *config_load(const char *path, struct err *e);
/* The same from text. */
struct config *config_parse(const char *bytes, size_t length, const char *title, struct err *e);
void config_free(struct config *config);

/* The store: $ALLOT_STORE, else the configured one, else where the user's (or root's) data lies.
   The caller frees it. */
char *config_store_path(const struct config *config, struct err *e);
