# SPDX-License-Identifier: Apache-2.0
"""Start the stereo node; `ros2 launch depth_bringup stereo.launch.py -s` lists every argument as a manual.

An argument left empty keeps what the parameter file says, so one file per robot is enough and the command
line only carries what is different today.
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

NODE_NAME = "stereo_node"
SHARE = FindPackageShare("depth_bringup")

# Fast DDS 3 reads the first name, Fast DDS 2 (Humble to Jazzy) the second, and neither complains about the other's.
DDS_PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")

# Launch argument -> the node's topic that it renames; the node itself adds /compressed to a renamed image topic.
TOPICS = {
    "left_image": "left/image_rect",
    "right_image": "right/image_rect",
    "left_camera_info": "left/camera_info",
    "right_camera_info": "right/camera_info",
}

ARGUMENTS = (
    DeclareLaunchArgument(
        "model",
        default_value="",
        description="Zoo name (stereo_s) or path of a contract ONNX file; empty keeps the parameter file's.",
    ),
    DeclareLaunchArgument(
        "backend",
        default_value="",
        choices=["", "auto", "tensorrt", "tensorrt_rtx", "onnxruntime-cuda", "onnxruntime-cpu"],
        description="What runs the network; empty keeps the parameter file's.",
    ),
    DeclareLaunchArgument(
        "network_size",
        default_value="",
        description="Size that the network sees: source, default (its own) or WIDTHxHEIGHT; empty keeps the "
        "parameter file's.",
    ),
    DeclareLaunchArgument(
        "namespace",
        default_value="",
        description="Namespace of the node and of every relative topic, for example front_camera.",
    ),
    DeclareLaunchArgument(
        "left_image",
        default_value="left/image_rect",
        description="Rectified left images (sensor_msgs/Image, or sensor_msgs/CompressedImage on "
        "<left_image>/compressed).",
    ),
    DeclareLaunchArgument(
        "right_image",
        default_value="right/image_rect",
        description="Rectified right images, typed like left_image.",
    ),
    DeclareLaunchArgument(
        "left_camera_info",
        default_value="left/camera_info",
        description="Calibration of the left camera (sensor_msgs/CameraInfo, rectified P).",
    ),
    DeclareLaunchArgument(
        "right_camera_info",
        default_value="right/camera_info",
        description="Calibration of the right camera; its P carries the baseline (P[3] = -fx * baseline).",
    ),
    DeclareLaunchArgument(
        "image_transport",
        default_value="",
        choices=["", "auto", "raw", "compressed"],
        description="How the images arrive, auto = as they are published; empty keeps the parameter file's.",
    ),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([SHARE, "config", "stereo.param.yaml"]),
        description="Parameter file of this robot; copy the default one, each of its lines explains itself.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="",
        choices=["", "true", "false"],
        description="Take time from /clock, as when a bag is played; empty keeps the parameter file's.",
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=["debug", "info", "warn", "error", "fatal"],
        description="Least severe message of the node that is printed.",
    ),
    DeclareLaunchArgument(
        "rviz",
        default_value="false",
        choices=["true", "false"],
        description="Also open RViz with views of the images, depth, panoptic colours and points.",
    ),
    DeclareLaunchArgument(
        "dds_profile",
        default_value="on",
        description="Fast DDS profile: on = the packaged one for large images unless the environment already "
        "names one, off = leave the environment alone, or the path of an XML file. Start the camera driver "
        "with the same profile: the sender's shared memory is the one that has to hold an image.",
    ),
)


def dds_environment(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Name the profile that was asked for in both variables; one the user already exported wins over `on`."""
    choice = LaunchConfiguration("dds_profile").perform(context)
    if choice == "off":
        return []
    if choice == "on":
        exported = [context.environment.get(name) for name in DDS_PROFILE_VARIABLES]
        packaged = PathJoinSubstitution([SHARE, "config", "fastdds.xml"])
        choice = next(filter(None, exported), packaged)
    return [SetEnvironmentVariable(name, choice) for name in DDS_PROFILE_VARIABLES]


def remappings() -> list[tuple[str, LaunchConfiguration]]:
    """Node topic -> name that the launch argument gives it."""
    return [(topic, LaunchConfiguration(argument)) for argument, topic in TOPICS.items()]


def overrides(context: LaunchContext) -> dict[str, ParameterValue]:
    """Parameters named on the command line; the empty ones stay as the parameter file has them."""
    types = {"model": str, "backend": str, "network_size": str, "image_transport": str, "use_sim_time": bool}
    given = {name: LaunchConfiguration(name) for name in types if LaunchConfiguration(name).perform(context)}
    return {name: ParameterValue(value, value_type=types[name]) for name, value in given.items()}


def stereo_node(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The stereo node, which configures and activates itself (its parameter `autostart`).

    A plain Node on purpose: a lifecycle action with transitions here would ask for each of them twice.
    """
    namespace = LaunchConfiguration("namespace").perform(context)
    logger = ".".join([*filter(None, namespace.split("/")), NODE_NAME])
    level = LaunchConfiguration("log_level").perform(context)
    node = Node(
        package="depth_nodes",
        executable="stereo_node",
        name=NODE_NAME,
        namespace=namespace,
        parameters=[LaunchConfiguration("params_file"), overrides(context)],
        remappings=remappings(),
        ros_arguments=["--log-level", f"{logger}:={level}"],
        output="screen",
    )
    return [node]


def rviz_window() -> Node:
    """RViz in the node's namespace and with its topic names, so that the packaged views fit every robot."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        arguments=["-d", PathJoinSubstitution([SHARE, "rviz", "stereo.rviz"])],
        remappings=remappings(),
        condition=IfCondition(LaunchConfiguration("rviz")),
    )


def generate_launch_description() -> LaunchDescription:
    """Arguments, DDS environment, node and, when asked for, RViz."""
    return LaunchDescription(
        [
            *ARGUMENTS,
            OpaqueFunction(function=dds_environment),
            OpaqueFunction(function=stereo_node),
            rviz_window(),
        ]
    )
