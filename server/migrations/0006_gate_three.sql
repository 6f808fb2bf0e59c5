-- Why: the server holds every record against its license in every detail, and says what it refused.
--
-- boot_ms: the clock of the device's boot with time asleep; the licensed rate is held against it.
ALTER TABLE records ADD COLUMN boot_ms BIGINT;
CREATE INDEX records_by_boot
  ON records (company_id, device_id, license_id, kind, boot_id, mono_ms);

-- How often records of a device were refused for what their license says, by day (UTC) and code.
CREATE TABLE refusals (
  company_id  TEXT   NOT NULL,
  employee_id TEXT   NOT NULL,
  device_id   TEXT   NOT NULL,
  day_ms      BIGINT NOT NULL,
  code        TEXT   NOT NULL,
  refused     BIGINT NOT NULL,
  last_at     BIGINT NOT NULL,
  CONSTRAINT refusals_pk PRIMARY KEY (company_id, employee_id, device_id, day_ms, code),
  CONSTRAINT refusals_device_fk FOREIGN KEY (company_id, device_id)
    REFERENCES devices (company_id, device_id)
);
CREATE INDEX refusals_by_day ON refusals (company_id, day_ms, device_id);
