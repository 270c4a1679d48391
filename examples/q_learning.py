"""Q-learning with MicroMLP: find the way through a small grid, on a board or a computer.

    micropython q_learning.py [SEED]        (with firmware/lib on its path)

The agent sees its square (16 inputs, one of them 1) and moves up, right, down or left.
Only the goal G gives a reward, so the discount of 0.9 a step makes the shortest way the
best. Each move is learnt as it is made. Prints the way to go from each square.

    . . . .
    . # # .
    . . # .
    # . . G
"""
import random
import sys

from microMLP import MicroMLP

GRID = ("....",
        ".##.",
        "..#.",
        "#..G")
SIZE = 4
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
ARROWS = "^>v<"
STEPS = 12000

ZERO = MicroMLP.NNValue.FromAnalogSignal(0)
ONE = MicroMLP.NNValue.FromAnalogSignal(1)
DISCOUNT = MicroMLP.NNValue.FromAnalogSignal(0.9)


def squares():
    """Indices of the free squares but the goal."""
    return [i for i in range(SIZE * SIZE) if GRID[i // SIZE][i % SIZE] == "."]


def move(square, action):
    """The square after a move; walls and edges hold the agent where it is."""
    row = square // SIZE + MOVES[action][0]
    column = square % SIZE + MOVES[action][1]
    if 0 <= row < SIZE and 0 <= column < SIZE and GRID[row][column] != "#":
        return row * SIZE + column
    return square


def is_goal(square):
    return GRID[square // SIZE][square % SIZE] == "G"


def state(square):
    return [ONE if i == square else ZERO for i in range(SIZE * SIZE)]


def distances():
    """Steps from each square to the goal, the shortest way."""
    steps = {i: 0 for i in range(SIZE * SIZE) if is_goal(i)}
    while len(steps) <= len(squares()):
        for square in squares():
            near = [steps[n] for n in (move(square, a) for a in range(4)) if n in steps]
            if near and square not in steps:
                steps[square] = min(near) + 1
    return steps


def learn(seed):
    """A network that has learnt the grid from random starts."""
    random.seed(seed)
    mlp = MicroMLP.Create([SIZE * SIZE, 4], MicroMLP.ACTFUNC_SIGMOID, MicroMLP.LayersFullConnect)
    mlp.Eta = 1.0
    mlp.Alpha = 0.0
    mlp.Gain = 4.0
    square = random.choice(squares())
    for _ in range(STEPS):
        action = mlp.QLearningPredictBestActionIndex(state(square))
        if action is None or random.random() < 0.3:  # explore
            action = int(random.random() * 4)
        after = move(square, action)
        done = is_goal(after)
        mlp.QLearningLearnForChosenAction(
            state(after), ONE if done else ZERO, state(square), action, done, DISCOUNT)
        square = random.choice(squares()) if done or random.random() < 0.05 else after
    return mlp


def policy(mlp):
    """The best action for each free square."""
    return {square: mlp.QLearningPredictBestActionIndex(state(square)) for square in squares()}


def is_optimal(actions):
    """Whether each action leads one step nearer to the goal."""
    steps = distances()
    return all(action is not None and steps[move(square, action)] == steps[square] - 1
               for square, action in actions.items())


def main(seed=1):
    actions = policy(learn(seed))
    for row in range(SIZE):
        print(" ".join(ARROWS[actions[i]] if i in actions else GRID[row][i % SIZE]
                       for i in range(row * SIZE, row * SIZE + SIZE)))
    print("optimal" if is_optimal(actions) else "not optimal")


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:2]])
