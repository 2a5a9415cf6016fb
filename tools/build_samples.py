"""Render the two sample clips of the page: ``python -m tools.build_samples``.

A person of the demo's test split, whom no model of the pipeline was trained on, as filmed and
with another's face (the imitation of Deepfakes), compressed as the demo's clips are.
"""

from pathlib import Path

from litefake import params
from litefake.demo import filming, schedule
from litefake.demo.clips import write_clip
from litefake.demo.filming import Forger
from litefake.demo.params import DemoParams
from litefake.demo.person import prepare
from litefake.demo.schedule import Purpose, random_stream

FOLDER = Path(__file__).resolve().parent.parent / "src" / "litefake" / "web" / "samples"
CHANGES = {"frames": 60, "tempo": 1.5}
TAKE = 0
METHOD = "Deepfakes"


def main() -> None:
    p = params.section("demo", DemoParams).model_copy(update=CHANGES)
    plan = schedule.plan(p.seed, p.split_sizes, p.real_clips, p.control_share)
    target, source = plan.pairs["test"][0]
    actor, donor = prepare(plan.people[target]), prepare(plan.people[source])
    take = filming.stage_take(target, TAKE, p)
    filmed = filming.film(actor, take, random_stream(p.seed, Purpose.SENSOR, target, TAKE), p)
    rng = random_stream(p.seed, Purpose.FAKES, target)
    forger = Forger.hire(actor, donor, take, rng, p)
    lent = filming.stage_take(source, TAKE, p).poses
    forged = [
        forger.forge(real, pose, donor_pose, rng)[METHOD]
        for real, pose, donor_pose in zip(filmed, take.poses, lent, strict=True)
    ]
    write_clip(FOLDER / "rendered_real.mp4", [real.frame for real in filmed], p.fps, p.crf)
    write_clip(FOLDER / "rendered_fake.mp4", forged, p.fps, p.crf)


if __name__ == "__main__":
    main()
