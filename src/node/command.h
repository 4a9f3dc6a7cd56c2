// The command line of the one binary. Exit codes: 0 ok, 1 error, 2 usage, 7 faults are left or bytes are
// lost.
#pragma once

namespace wharfage::node {
int run_command(int count, char** arguments);
}
