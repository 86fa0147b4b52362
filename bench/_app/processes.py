"""A kind whose two states lead to each other: any number of steps, each of the same cost."""

from liangzhu.beams.work.matters import api as matters

matters.register_kind("bench_round", "往复事项", process="bench_round")
