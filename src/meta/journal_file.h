// How the writer's connection writes its journal. SQLite appends it page by page, two writes for each, and a
// commit has dozens of pages: here they are gathered and handed to the kernel in large pieces, at the latest
// when the journal is synced. Nobody reads a page from the journal before the commit that wrote it has synced
// it (PRAGMA synchronous = FULL), but for the connection itself, whose reads see what was gathered. What
// could not be written makes everything else fail that the transaction does, its commit included. A VFS in
// SQLite's sense: sqlite.org/vfs.html.
#pragma once

struct sqlite3;

namespace wharfage::meta {

// The name to give to sqlite3_open_v2(); registered with the first call. Any thread.
const char* journal_gathering_vfs();

// While no transaction is open, on the connection's thread: what the last one has left behind, or could not
// write, is over.
void forget_gathered(sqlite3* connection);

}  // namespace wharfage::meta
