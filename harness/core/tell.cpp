#include "harness/core/tell.h"

#include <cerrno>
#include <string>

#include "harness/core/history.h"

namespace forkproof {
namespace {

int send(const ControlAddress& control, const Happening& what) {
  const std::string document = to_document(what);
  Announcement message;
  message.kind = AnnounceKind::event;
  return announce(control, message, document.data(), document.size(), nullptr);
}

}  // namespace

void tell(const ControlAddress& control, const Happening& what) {
  if (send(control, what) != EMSGSIZE) return;
  send(control, Trouble{"control socket", std::string(kind_of(what)) + " is too large to be told"});
}

}  // namespace forkproof
