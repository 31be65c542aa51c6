#include "harness/core/tell.h"

#include "harness/core/history.h"

namespace forkproof {

void tell(const ControlAddress& control, const Happening& what) {
  const std::string document = to_document(what);
  Announcement message;
  message.kind = AnnounceKind::event;
  announce(control, message, document.data(), document.size(), nullptr);
}

}  // namespace forkproof
