/* SPDX-License-Identifier: Apache-2.0 */
/* Version 3: projects of tenants at a cloud, containers and quotas; what a plan asks of everybody is kept. */
#include "alloc/store/schema.h"

/* clang-format off */

/* capabilities: bits of alloc/backend.h, as its backend told when the pool was declared. A host that is a project
   belongs to one tenant; settings: what its backend needs to know of it. member: the user at the cloud who works in
   the tenant's project. things_seen: whatever the last look found there, ours or not. */
static const char pool[] =
    "ALTER TABLE pool ADD COLUMN capabilities INTEGER NOT NULL DEFAULT 0;"
    "UPDATE pool SET capabilities = 1 WHERE id IN (SELECT pool FROM flavor WHERE has_slots = 1);"
    "ALTER TABLE host ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';"
    "ALTER TABLE host ADD COLUMN tenant INTEGER REFERENCES tenant (id);"
    "ALTER TABLE host ADD COLUMN things_seen INTEGER NOT NULL DEFAULT 0;"
    "CREATE UNIQUE INDEX host_by_tenant ON host (pool, tenant) WHERE tenant IS NOT NULL;"
    "CREATE TABLE member (pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL REFERENCES tenant (id),"
    "  name TEXT NOT NULL, PRIMARY KEY (pool, tenant)) STRICT, WITHOUT ROWID;";

/* kind: what it is at the backend; item: what it is in the ledger, in units of flavor or in bytes. attempts: calls to
   the backend to make it, written before the first; earlier versions did not, so all of theirs may have been sent. */
static const char operation[] =
    "CREATE TABLE operation_new (tenant INTEGER NOT NULL, id INTEGER NOT NULL UNIQUE, grant_id INTEGER NOT NULL, pool"
    "  INTEGER NOT NULL REFERENCES pool (id), kind TEXT NOT NULL CHECK (kind IN ('server', 'volume', 'container',"
    "  'quota')), item TEXT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, flavor TEXT, units INTEGER NOT NULL, bytes"
    "  INTEGER NOT NULL CHECK (bytes " BYTES "), disks_of INTEGER NOT NULL CHECK (disks_of IN (0, 1)), token TEXT NOT"
    "  NULL UNIQUE, desired TEXT NOT NULL CHECK (desired IN ('present', 'absent')), observed TEXT NOT NULL CHECK"
    "  (observed IN ('none', 'started', 'present', 'absent', 'unknown', 'refused')), attempts INTEGER NOT NULL, trouble"
    "  TEXT, connection TEXT, changed_at INTEGER NOT NULL, PRIMARY KEY (tenant, id), CHECK (flavor IS NULL OR item ="
    "  'unit/' || flavor)) STRICT, WITHOUT ROWID;"
    "INSERT INTO operation_new SELECT tenant, id, grant_id, pool, kind, CASE kind WHEN 'server' THEN 'unit/' || flavor"
    "  ELSE 'storage' END, name, host, flavor, units, bytes, disks_of, token, desired, observed, attempts + 1, trouble,"
    "  connection, changed_at FROM operation;"
    "DROP TABLE operation; ALTER TABLE operation_new RENAME TO operation;"
    "CREATE INDEX operation_by_grant ON operation (grant_id);"
    "CREATE INDEX operation_open ON operation (pool) WHERE desired <> observed;";

/* Of which policy and day all standings of a pool are (NULL: of several). They are a cache, made anew with the first
   plan; what each plan reads of all of them stands first. */
static const char standing[] =
    "DROP TABLE standing;"
    "CREATE TABLE standing (pool INTEGER NOT NULL REFERENCES pool (id), tenant INTEGER NOT NULL REFERENCES tenant"
    "  (id), guarantee_gflops INTEGER NOT NULL CHECK (guarantee_gflops " COUNT "), policy INTEGER NOT NULL, day INTEGER"
    "  NOT NULL, eligible INTEGER NOT NULL CHECK (eligible IN (0, 1)), tier TEXT, rule TEXT, rank INTEGER NOT NULL,"
    "  weight INTEGER NOT NULL CHECK (weight > 0), PRIMARY KEY (pool, tenant)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE pool ADD COLUMN standing_policy INTEGER;"
    "ALTER TABLE pool ADD COLUMN standing_day INTEGER;";

/* waiting: the requests that wait and the compute that they ask for, as counted with the plan that wrote entry seq
   (alloc/waiting.h). The indices cover what a plan asks of the queue. */
static const char waiting[] =
    "DROP INDEX request_fresh;"
    "CREATE INDEX request_fresh ON request (pool, planned_supply, state) WHERE state = 'queued';"
    "CREATE INDEX request_called ON request (pool, call, state) WHERE state = 'queued' AND call IS NOT NULL;"
    "CREATE TABLE waiting (pool INTEGER PRIMARY KEY REFERENCES pool (id), seq INTEGER NOT NULL, supply INTEGER NOT"
    "  NULL, requests INTEGER NOT NULL CHECK (requests > 0), compute_gflops INTEGER NOT NULL CHECK (compute_gflops"
    "  " COUNT ")) STRICT;";

const char *const store_schema_3[] = {pool, operation, standing, waiting, NULL};
