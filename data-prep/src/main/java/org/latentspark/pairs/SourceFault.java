package org.latentspark.pairs;

import org.latentspark.cli.Settings;

/** Why a source yields no pair for one of its items; each is a reason of rejection as well. */
public enum SourceFault {
  /** A file is damaged: what it holds from there on is not known. */
  UNREADABLE_SOURCE,
  /** A line of a table is malformed. */
  BAD_ROW,
  /** An archive's entry is damaged, is no plain file, or leads out of the archive. */
  BAD_ENTRY,
  /** The source stores images, and none for this pair. */
  MISSING_IMAGE;

  /** Returns the kebab-case name, which is the reason's. */
  public String code() {
    return Settings.kebab(this);
  }
}
