"""Images made of nothing but a seed."""

from .shader import ShaderProgram, shader_image

__all__ = ["ShaderProgram", "shader_image"]
