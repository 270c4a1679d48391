"""German that Studio's tests expect."""

# What the firmware says when it refuses to teach -> how the German begins
REASONS = (
    ("'ring' is too close to \"o'clock\"; make it more different, or learn more of \"o'clock\" "
     "itself", "ring ist o'clock zu ähnlich; "),
    ("2 of 5 repetitions can be used, 3 are the least (repetition 1: too weak)",
     "2 von 5 Wiederholungen sind brauchbar, 3 "),
    ("only 2 of 5 repetitions are distinct from what the model knows; make it longer, or more "
     "different", "nur 2 von 5 Wiederholungen "),
    ("'CIRCLE' is known as 'circle'; use that name", "CIRCLE ist als circle bekannt"),
    ("'none' is the model's name for no gesture", "none heißt im Modell"),
    ("busy with learning 'nod'", "es lernt schon nod"),
    ("busy with another command that needs the sensor", "ein anderer Befehl benutzt den Sensor"),
    ("the model came without examples of its gestures; train it again", "sein Modell kam ohne"),
    ("the examples behind the model are of another version; train it again",
     "die Beispiele hinter seinem Modell"),
    ("model.mlp is on trial; ask again in a minute", "sein Modell ist noch auf Probe"),
    ("no samples come from the sensor", "vom Sensor kommen keine Messwerte"),
)  # fmt: skip

# Why a repetition is of no use -> how the German begins
FAULTS = (
    ("too short, a knock", "zu kurz, ein Stoß"),
    ("longer than the 1200 ms that the model looks at", "länger als die 1200 ms"),
    ("samples were lost", "Messwerte gingen verloren"),
    ("too weak", "zu schwach"), ("unlike the others", "anders als die übrigen"),
)  # fmt: skip
