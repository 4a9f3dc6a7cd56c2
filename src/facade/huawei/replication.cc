#include "facade/huawei/replication.h"

namespace wharfage::huawei {

std::string_view trigger_of(sync::Trigger trigger) {
  switch (trigger) {
    case sync::Trigger::manual:
      return "manual";
    case sync::Trigger::event:
      return "event_based";
    case sync::Trigger::scheduled:
      return "scheduled";
  }
  return "manual";
}

}  // namespace wharfage::huawei
