"""The query languages: grammar.lark is how they are written, vocabulary.py the words."""
