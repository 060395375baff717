"""What the first schema has on PostgreSQL where SQLite has it by itself: ids without gaps, an audit log that only grows."""

POSTGRESQL = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE FUNCTION inbox_next() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(max(id), 0) + 1 FROM inbox $$;
ALTER TABLE inbox ALTER COLUMN id SET DEFAULT inbox_next();
"""
