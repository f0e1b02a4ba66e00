/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema as a list of migrations, oldest first; one is never edited after a release. Amounts are
 * integers (GF, bytes, units, seconds UTC). Bounds leave room for 4 EB: a bound of 9e15 would refuse the
 * pilot's own 10.7 PB. Keys contain the tenant, so that the tables can be spread by it later.
 */
#include "alloc/store/schema.h"

static const char first[] =
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, epoch INTEGER NOT NULL,"
    "  branch TEXT NOT NULL, test_clock INTEGER NOT NULL CHECK (test_clock IN (0, 1)), made_at INTEGER NOT "
    "NULL) STRICT;"
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value > 0)) STRICT;"

    /* Who may hold: an organisation has one registration number, a tenant is one of its projects. */
    "CREATE TABLE organisation (id INTEGER PRIMARY KEY, registration TEXT NOT NULL UNIQUE, name TEXT NOT "
    "NULL,"
    "  made_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, organisation INTEGER NOT NULL"
    "  REFERENCES organisation (id), language TEXT NOT NULL CHECK (language IN ('en', 'ko')),"
    "  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'closed')), made_at INTEGER NOT NULL,"
    "  branch TEXT NOT NULL) STRICT;" /* of the store when it was made: numbers begin again after a restore */
    "CREATE INDEX tenant_by_organisation ON tenant (organisation);"
    "CREATE TABLE tenant_attr (tenant INTEGER NOT NULL REFERENCES tenant (id), name TEXT NOT NULL, value "
    "TEXT NOT NULL,"
    "  PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;"
    /* Personal data: may be blanked without touching the ledger. */
    "CREATE TABLE tenant_contact (tenant INTEGER NOT NULL REFERENCES tenant (id), place INTEGER NOT NULL,"
    "  name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, PRIMARY KEY (tenant, place)) STRICT, "
    "WITHOUT ROWID;"
    "CREATE TABLE tenant_key (tenant INTEGER NOT NULL REFERENCES tenant (id), fingerprint TEXT NOT NULL, "
    "line TEXT NOT NULL,"
    "  PRIMARY KEY (tenant, fingerprint)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX tenant_key_by_fingerprint ON tenant_key (fingerprint);"

    /* What there is. Pool 0 is the store itself: the chain of what concerns no pool. */
    "CREATE TABLE pool (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, backend TEXT NOT NULL, basis TEXT "
    "NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('active', 'draining')), granule_bytes INTEGER NOT NULL CHECK "
    "(granule_bytes > 0),"
    "  volume_least_bytes INTEGER NOT NULL CHECK (volume_least_bytes > 0),"
    "  volume_most_bytes INTEGER NOT NULL CHECK (volume_most_bytes >= volume_least_bytes),"
    "  settings TEXT NOT NULL, generation INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;"
    "INSERT INTO pool VALUES (0, '', '', '', 'draining', 1, 1, 1, '{}', 0, 0);"
    "CREATE TABLE host (pool INTEGER NOT NULL REFERENCES pool (id), name TEXT NOT NULL, uri TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('active', 'draining', 'lost')), storage_capacity_bytes INTEGER "
    "CHECK"
    "  (storage_capacity_bytes " BYTES "), storage_free_bytes INTEGER CHECK (storage_free_bytes " BYTES
    "), seen_at INTEGER,"
    "  trouble TEXT, PRIMARY KEY (pool, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE flavor (pool INTEGER NOT NULL REFERENCES pool (id), place INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    "  rating_gflops INTEGER NOT NULL CHECK (rating_gflops > 0), attach TEXT NOT NULL CHECK (attach IN"
    "  ('pci', 'mdev', 'vf', 'vcpu', 'none')), has_slots INTEGER NOT NULL CHECK (has_slots IN (0, 1)),"
    "  PRIMARY KEY (pool, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE flavor_size (pool INTEGER NOT NULL, flavor TEXT NOT NULL, size INTEGER NOT NULL CHECK "
    "(size > 0),"
    "  PRIMARY KEY (pool, flavor, size), FOREIGN KEY (pool, flavor) REFERENCES flavor (pool, name)) STRICT, "
    "WITHOUT ROWID;"

    /* The ledger. item is 'unit/<flavor>' or 'storage'. A balance is the sum of its entries, kept as a
       checked cache. */
    "CREATE TABLE account (pool INTEGER NOT NULL REFERENCES pool (id), item TEXT NOT NULL, kind TEXT NOT "
    "NULL CHECK"
    "  (kind IN ('world', 'free', 'reserved', 'held', 'kept', 'releasing', 'lost')), grant_id INTEGER NOT "
    "NULL,"
    "  balance INTEGER NOT NULL CHECK (balance >= 0 OR kind = 'world'), PRIMARY KEY (pool, item, kind, "
    "grant_id),"
    "  CHECK ((kind IN ('reserved', 'held', 'kept', 'releasing')) = (grant_id > 0))) STRICT, WITHOUT ROWID;"
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, version INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT "
    "NOT NULL,"
    "  kind TEXT NOT NULL, pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL, request "
    "INTEGER NOT NULL,"
    "  grant_id INTEGER NOT NULL, operation INTEGER NOT NULL, item TEXT NOT NULL, from_kind TEXT NOT NULL,"
    "  to_kind TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity >= 0), policy TEXT NOT NULL, digest "
    "TEXT NOT NULL,"
    "  pool_seq INTEGER NOT NULL, pool_hash TEXT NOT NULL, tenant_seq INTEGER NOT NULL, tenant_hash TEXT NOT "
    "NULL) STRICT;"
    "CREATE INDEX entry_by_tenant ON entry (tenant, seq);"
    "CREATE INDEX entry_by_grant ON entry (grant_id, seq);"
    /* Words behind a digest; a row may be blanked (removed), the digest stays. */
    "CREATE TABLE entry_detail (seq INTEGER PRIMARY KEY REFERENCES entry (seq), detail TEXT NOT NULL) STRICT;"
    "CREATE TABLE chain (kind TEXT NOT NULL CHECK (kind IN ('pool', 'tenant')), id INTEGER NOT NULL, seq "
    "INTEGER NOT NULL,"
    "  hash TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;"

    /* What may be held, at most: the second guard of the ceilings, whatever the policy code does. */
    "CREATE TABLE ceiling (pool INTEGER NOT NULL REFERENCES pool (id), scope TEXT NOT NULL CHECK (scope IN"
    "  ('tenant', 'organisation')), owner INTEGER NOT NULL, compute_gflops INTEGER NOT NULL CHECK "
    "(compute_gflops " COUNT "),"
    "  compute_limit_gflops INTEGER, storage_bytes INTEGER NOT NULL CHECK (storage_bytes " BYTES
    "), storage_limit_bytes INTEGER,"
    "  PRIMARY KEY (pool, scope, owner),"
    "  CONSTRAINT compute_ceiling CHECK (compute_limit_gflops IS NULL OR compute_gflops <= "
    "compute_limit_gflops),"
    "  CONSTRAINT storage_ceiling CHECK (storage_limit_bytes IS NULL OR storage_bytes <= "
    "storage_limit_bytes)) STRICT, WITHOUT ROWID;"

    /* Policy versions: text and tables as one document with one hash. The newest loaded that is valid now
       decides. */
    "CREATE TABLE policy (id INTEGER PRIMARY KEY, pool INTEGER NOT NULL REFERENCES pool (id), name TEXT NOT "
    "NULL,"
    "  version INTEGER NOT NULL, hash TEXT NOT NULL, stored TEXT NOT NULL, valid_from INTEGER, valid_until "
    "INTEGER,"
    "  loaded_at INTEGER NOT NULL, loaded_by TEXT NOT NULL, UNIQUE (pool, name, version)) STRICT;"

    /* Requests, decisions, grants. */
    "CREATE TABLE request (tenant INTEGER NOT NULL REFERENCES tenant (id), id INTEGER NOT NULL UNIQUE, pool "
    "INTEGER NOT NULL"
    "  REFERENCES pool (id), state TEXT NOT NULL CHECK (state IN ('queued', 'held', 'returned', 'denied', "
    "'granted',"
    "  'withdrawn')), purpose TEXT NOT NULL, flavor TEXT, units INTEGER CHECK (units > 0), compute_gflops "
    "INTEGER CHECK"
    "  (compute_gflops > 0), minimum_units INTEGER CHECK (minimum_units > 0), minimum_gflops INTEGER CHECK "
    "(minimum_gflops > 0),"
    "  per_server INTEGER CHECK (per_server > 0), storage_bytes INTEGER NOT NULL CHECK (storage_bytes " BYTES
    "),"
    "  until_at INTEGER, term_s INTEGER CHECK (term_s > 0), submitted_at INTEGER NOT NULL, approved_by TEXT,"
    "  override_rule TEXT, override_until INTEGER, note TEXT, decision INTEGER, grant_id INTEGER,"
    "  PRIMARY KEY (tenant, id), CHECK (units IS NULL OR compute_gflops IS NULL)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX request_by_state ON request (state, pool);"
    "CREATE TABLE request_attr (tenant INTEGER NOT NULL, request INTEGER NOT NULL, name TEXT NOT NULL, value "
    "TEXT NOT NULL,"
    "  PRIMARY KEY (tenant, request, name), FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)) "
    "STRICT, WITHOUT ROWID;"
    "CREATE TABLE plan (id INTEGER PRIMARY KEY, pool INTEGER NOT NULL REFERENCES pool (id), policy INTEGER "
    "REFERENCES policy (id),"
    "  at INTEGER NOT NULL, facts TEXT NOT NULL) STRICT;"
    "CREATE TABLE decision (tenant INTEGER NOT NULL, id INTEGER NOT NULL UNIQUE, request INTEGER NOT NULL, "
    "plan INTEGER NOT NULL"
    "  REFERENCES plan (id), at INTEGER NOT NULL, outcome TEXT NOT NULL, body TEXT NOT NULL, noted INTEGER "
    "NOT "
    "NULL CHECK (noted IN (0, 1)), PRIMARY KEY (tenant, id))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX decision_by_request ON decision (request);"
    "CREATE INDEX decision_by_plan ON decision (plan);"
    "CREATE TABLE grants (tenant INTEGER NOT NULL REFERENCES tenant (id), id INTEGER NOT NULL UNIQUE, pool "
    "INTEGER NOT NULL"
    "  REFERENCES pool (id), request INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('reserved', "
    "'active', 'notice',"
    "  'grace', 'releasing', 'kept', 'purging', 'ended', 'voiding', 'void')), basis TEXT NOT NULL, policy "
    "TEXT NOT NULL,"
    "  compute_gflops INTEGER NOT NULL CHECK (compute_gflops " COUNT
    "), storage_bytes INTEGER NOT NULL CHECK (storage_bytes " BYTES "),"
    "  start_at INTEGER NOT NULL, end_at INTEGER NOT NULL, notice_s INTEGER NOT NULL, grace_s INTEGER NOT "
    "NULL,"
    "  keep_s INTEGER NOT NULL, renewals_left INTEGER NOT NULL CHECK (renewals_left >= 0), renew_s INTEGER "
    "NOT NULL,"
    "  released_at INTEGER, keep_until INTEGER, ended_at INTEGER, why TEXT, PRIMARY KEY (tenant, id)) "
    "STRICT, WITHOUT ROWID;"
    "CREATE INDEX grants_by_state ON grants (state, pool);"
    "CREATE TABLE grant_line (tenant INTEGER NOT NULL, grant_id INTEGER NOT NULL, flavor TEXT NOT NULL,"
    "  units INTEGER NOT NULL CHECK (units >= 0), rating_gflops INTEGER NOT NULL CHECK (rating_gflops > 0),"
    "  PRIMARY KEY (tenant, grant_id, flavor)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE exception (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL REFERENCES tenant (id), "
    "grant_id INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, reason TEXT NOT NULL, until_at INTEGER NOT NULL, approved_by TEXT NOT NULL, at "
    "INTEGER NOT NULL) STRICT;"

    /* What the backend shall do. Units come free only when the thing was observed absent. */
    "CREATE TABLE operation (tenant INTEGER NOT NULL, id INTEGER NOT NULL UNIQUE, grant_id INTEGER NOT NULL, "
    "pool INTEGER NOT NULL"
    "  REFERENCES pool (id), kind TEXT NOT NULL CHECK (kind IN ('server', 'volume')), name TEXT NOT NULL, "
    "host TEXT NOT NULL,"
    "  flavor TEXT, units INTEGER NOT NULL, bytes INTEGER NOT NULL CHECK (bytes " BYTES
    "), disks_of INTEGER NOT NULL CHECK (disks_of IN (0, 1)),"
    "  token TEXT NOT NULL UNIQUE, desired TEXT NOT NULL CHECK (desired IN ('present', 'absent')), observed "
    "TEXT NOT NULL"
    "  CHECK (observed IN ('none', 'started', 'present', 'absent', 'unknown', 'refused')), attempts INTEGER "
    "NOT NULL,"
    "  trouble TEXT, connection TEXT, changed_at INTEGER NOT NULL, PRIMARY KEY (tenant, id)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE INDEX operation_by_grant ON operation (grant_id);"
    "CREATE INDEX operation_open ON operation (pool) WHERE desired <> observed;"
    "CREATE TABLE slot (pool INTEGER NOT NULL, host TEXT NOT NULL, flavor TEXT NOT NULL, name TEXT NOT NULL, "
    "address TEXT NOT NULL,"
    "  attach TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('ok', 'lost')), operation INTEGER "
    "REFERENCES operation (id),"
    "  PRIMARY KEY (pool, host, flavor, name)) STRICT, WITHOUT ROWID;"
    /* Each plan counts the free devices of a flavor, host by host: from this index alone, so it has all
       columns. */
    "CREATE INDEX slot_free ON slot (pool, flavor, state, operation, host, name) WHERE operation IS NULL;"
    "CREATE INDEX slot_by_operation ON slot (operation) WHERE operation IS NOT NULL;"

    /* Telling people, answering again, knowing that cron lives. */
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL REFERENCES tenant (id), kind TEXT "
    "NOT NULL,"
    "  grant_id INTEGER NOT NULL, request INTEGER NOT NULL, payload TEXT NOT NULL, made_at INTEGER NOT NULL,"
    "  delivered_at INTEGER, attempts INTEGER NOT NULL, trouble TEXT) STRICT;"
    "CREATE INDEX outbox_open ON outbox (id) WHERE delivered_at IS NULL;"
    "CREATE INDEX outbox_by_grant ON outbox (grant_id, kind);"
    "CREATE TABLE answer (principal TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER "
    "NOT NULL,"
    "  body TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (principal, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE job (name TEXT PRIMARY KEY, started_at INTEGER NOT NULL, good_at INTEGER, trouble TEXT) "
    "STRICT;"
    "CREATE TABLE orphan (pool INTEGER NOT NULL, host TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT "
    "NULL, kind TEXT NOT NULL,"
    "  label TEXT NOT NULL, seen_at INTEGER NOT NULL, PRIMARY KEY (pool, host, kind, name)) STRICT, WITHOUT "
    "ROWID;";

static const char *const version_1[] = {first, NULL};
const char *const *const store_migrations[] = {version_1, store_schema_2, store_schema_3};
const int store_version = sizeof store_migrations / sizeof *store_migrations;
