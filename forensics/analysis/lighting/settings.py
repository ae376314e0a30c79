"""What the analysis of light is called and how it is set."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.method import Method, setting

METHOD = Method(
    "first-order spherical harmonics on landmark normals", "3", "Ramamoorthi & Hanrahan 2001; Johnson & Farid 2007"
)
SURROUND_METHOD = Method("skin inside and outside of the face's outline", "1", "own measure, no publication")
HIGHLIGHTS_METHOD = Method("places of highlights in both irises", "1", "Johnson & Farid 2007; Hu et al. 2021")


@dataclass(frozen=True)
class Settings:
    pictures_per_s: float = setting(5.0, "1/s", "five stand on each side of a change that lasts a second")
    most_pictures: int = setting(600, "1", "of a long appearance; a change is then looked at again picture by picture")
    facing: float = setting(0.2, "1", "least cosine to the camera: beyond it the mesh's edge meets hair and background")
    huber: float = setting(1.5, "1", "in robust standard deviations: moles, highlights and shadow edges count less")
    rounds: int = setting(8, "1", "of the robust fit; it no longer moves")
    cells: int = setting(6, "1", "the face is resampled in 6 x 6 patches: neighbouring skin errs together")
    resamples: int = setting(200, "1", "of the bootstrap; seed 0")
    systematic_deg: float = setting(
        3.0,
        "deg",
        "standard deviation added on each axis: the region then holds the lamp in about 19 of 20 Extended Yale B "
        "photographs that are assessed, persons left out (tests/real/LIGHT.md)",
    )
    albedo_deg: float = setting(
        7.0,
        "deg",
        "standard deviation added for each unit of even over directed light: skin colour leans a weak light further; "
        "rendered uneven skin erred by 6 to 7 and more (tests/real/LIGHT.md)",
    )
    least_face_px: float = setting(60.0, "px", "face height; a patch is then under a pixel")
    shortest_s: float = setting(0.5, "s", "of appearance")
    least_directionality: float = setting(0.3, "1", "under it the shading is no more than skin colour varies")
    farthest_deg: float = setting(60.0, "deg", "from the camera; the cone in which directions were validated")
    least_explained: float = setting(0.25, "1", "share of the skin's variance; below it one light does not explain it")
    shadow: float = setting(0.1, "1", "of the bright skin's light (90th percentile): under it skin lies in shadow")
    most_shadowed: float = setting(
        0.25, "1", "of the skin in shadow; beyond, the direction erred by 35 degrees where lamps stood aside (LIGHT.md)"
    )
    worst_condition: float = setting(
        15.0, "1", "of the normals seen; whole faces have 6 to 8, at 15 noise moves a direction twice as far"
    )
    darkest: float = setting(0.01, "1", "median linear light of the skin: code values near black")
    most_clipped: float = setting(0.08, "1", "share of the face's pixels at white")
    widest_deg: float = setting(
        35.0, "deg", "half the 95 % interval, systematic part included: beyond, aside and ahead are not told apart"
    )
    jump_deg: float = setting(15.0, "deg", "least change of direction called a jump; about its systematic error")
    jump_scatter: float = setting(5.0, "1", "the change in scatters of the pictures beside it; steady drift gives 3.5")
    jump_s: float = setting(1.0, "s", "on each side: the direction has to stay this long")
    sudden_s: float = setting(
        0.2, "s", "on each side: a few pictures; heads turn more slowly, lamps are switched faster"
    )
    sudden_share: float = setting(0.7, "1", "of the change lies between those pictures; of a head's swing under 0.4")
    jump_pictures: int = setting(60, "1", "looked at around a change, all of two seconds at 30 a second")
    least_turn_deg: float = setting(12.0, "deg", "of yaw, 95 % range; at less, shading moves no more than noise does")
    turn_s: float = setting(3.0, "s", "of one light; two or three movements of a speaking head")
    turn_pictures: int = setting(15, "1", "of one light: the interval resamples ten stretches of time")
    stretches: int = setting(10, "1", "of time, resampled whole: neighbouring pictures err together")
    above_mouth: float = setting(0.4, "1", "of the way from chin to forehead: below it speech moves the skin")
    least_skin: float = setting(0.3, "1", "of the skin: all above the mouth is 0.6 of it, of a face half hidden 0.3")
    dimmest: float = setting(0.25, "1", "of the mean shading: the model has no shadow, and would divide by nothing")
    systematic_following: float = setting(
        0.4, "1", "half width added: the interval then holds 0 in 34 of 35 untouched development appearances"
    )
    frontal_deg: float = setting(25.0, "deg", "most yaw: beyond it one side's outline is the head's edge, not skin")
    inner_from: float = setting(
        0.75, "1", "of the way from the face's middle to its outline; nearer, brows and lips lie"
    )
    inner_to: float = setting(0.85, "1", "of that way; a swapped face reaches further out and is blended there")
    outer_from: float = setting(1.05, "1", "of that way: beyond the edge that jaw and landmarks make")
    outer_to: float = setting(1.25, "1", "of that way: neck and upper forehead; beyond lie collars and hair")
    skin_tint: float = setting(0.3, "1", "log of red or blue over green by which skin may differ from the inner face's")
    skin_detail: float = setting(2.5, "1", "times the inner face's detail: hair, beards and edges have more")
    skin_light: float = setting(4.0, "1", "times lighter or darker than the inner face on the same spoke")
    least_spokes: int = setting(5, "1", "of 36 with skin inside and outside; fewer are a strip of neck")
    least_pairs: int = setting(3, "1", "of spokes right and left, or spokes, for a ratio to be told")
    least_closeups: int = setting(10, "1", "two seconds of looks")
    next_s: float = setting(0.5, "s", "between two looks that are neighbours")
    least_iris_px: float = setting(
        10.0,
        "px",
        "diameter of the smaller iris: down to it places err downwards by under 3 % (tests/real/CLOSEUPS.md)",
    )
    open_iris: float = setting(0.5, "1", "share of the inner iris between the lids; below it lids hide highlights")
    least_rise: float = setting(
        0.03, "1", "linear light of a highlight above its iris: by eye, spots up to 0.02 were the iris's own pattern"
    )
    beside_brightest: float = setting(0.5, "1", "of the eye's brightest highlight; fainter ones are mirrors of mirrors")
    sure_iris_px: float = setting(16.0, "px", "diameter from which on another pair is seldom taken (CLOSEUPS.md)")
    iris_error: float = setting(
        6.5,
        "%",
        "of the iris, half width added: upper end of the errors' 90th percentile at 16 px (CLOSEUPS.md)",
    )
    small_iris_error: float = setting(
        30.0, "%", "the same sideways below 16 px, where now and then another pair is taken (CLOSEUPS.md)"
    )
