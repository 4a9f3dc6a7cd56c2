#include "node/command.h"

int main(int count, char** arguments) {
  return wharfage::node::run_command(count, arguments);
}
