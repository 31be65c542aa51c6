// PID 1's own view: at each look, the children of everybody known, and of those the newborn. Another image is an exec; it is
// only looked for where the name has changed, which a process may also do by itself. It rests after each look for some times
// what the look took, so that it never has more than its share of a processor.
#include <map>
#include <utility>
#include <vector>

#include <unistd.h>

#include "harness/core/children.h"
#include "harness/observe/proc.h"
#include "harness/observe/ways/names.h"
#include "harness/observe/ways/way.h"

namespace forkproof::observe {
namespace {

constexpr Nanos shortest_rest = std::chrono::milliseconds(1);
constexpr int rests_as_long_as = 4;  // looks

class ProcView final : public Observer {
 public:
  explicit ProcView(const Post& post) : post_(post) {}

  std::string prepare() override {
    look();
    return {};
  }
  void reaped(Pid pid) override { known_.erase(pid); }

 private:
  struct One {
    std::string name, image;
  };

  void look() {
    const Nanos began = monotonic_now();
    find_newborn(::getpid());
    for (auto one = known_.begin(); one != known_.end();) {
      one = still_there(one->first, &one->second) ? std::next(one) : known_.erase(one);
    }
    const Nanos took = monotonic_now() - began;
    post_.warden.call_at(monotonic_now() + std::max(shortest_rest, took * rests_as_long_as), [this] { look(); });
  }

  void find_newborn(Pid root) {
    std::vector<std::pair<Pid, Pid>> open;  // parent and child
    for (const Pid child : children_of(root)) open.emplace_back(root, child);
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto [parent, pid] = open[i];
      if (!known_.contains(pid)) born(pid, parent);
      for (const Pid child : children_of(pid)) open.emplace_back(pid, child);
    }
  }

  /// The image first: an exec between the two is then one that had been before it was seen. The other way round its name would
  /// change later, and its image not, and the exec would never be told.
  void born(Pid pid, Pid parent) {
    std::string image = image_of(pid);
    const One& one = known_[pid] = {process_name(pid), std::move(image)};
    post_.tell(Spawned{pid, parent, stranger_node, one.name});
  }

  bool still_there(Pid pid, One* one) {
    const auto look = look_at(pid);
    if (!look) {
      if (!one->name.empty()) post_.tell(Exited{pid, "", WaitStatus{}, false});
      return false;
    }
    if (look->entry.state == "Z") {
      if (!one->name.empty()) post_.tell(Exited{pid, "", WaitStatus(look->exit_status), true});
      one->name.clear();  // told; it stays known until it is reaped, or it would be born again
      return true;
    }
    if (look->entry.name == one->name) return true;
    one->name = look->entry.name;
    if (std::string image = image_of(pid); image != one->image) {
      one->image = std::move(image);
      post_.tell(Execed{pid, program_of(pid)});
    }
    return true;
  }

  Post post_;
  std::map<Pid, One> known_;
};

}  // namespace

std::unique_ptr<Observer> make_proc_observer(const Post& post) { return std::make_unique<ProcView>(post); }

}  // namespace forkproof::observe
